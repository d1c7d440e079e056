/**
 * Asks an HTTP server so many times a second, whether it keeps up or not. The latency of a request runs from when it should have been sent,
 * so that what a slow answer delays counts as well. Speaks HTTP/1.1 over kept connections by itself, to take little of the cores that the
 * server shares with it; a process of its own.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface Load {
  readonly port: number;
  readonly token: string;
  /** Asked in turn. */
  readonly paths: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Answered {
  /** Milliseconds, the n-th of path n modulo their number; Infinity without an answer. */
  readonly latencies: readonly number[];
  readonly answered: number;
  /** Answers with another status than 200. */
  readonly refused: number;
  readonly bytes: number;
  /** From the first send to the last answer. */
  readonly ms: number;
  readonly cpuMs: number;
}

const CONNECTIONS = 64;
/** How long answers are waited for after the last request was due; those that are missing then take for ever. */
const PATIENCE_MS = 5_000;

interface Connection {
  readonly socket: Socket;
  received: Buffer;
  onAnswer: ((status: number, bytes: number) => void) | null;
}

process.on('message', (load: Load) => void run(load).then((answered) => process.send?.(answered)));
process.on('disconnect', () => process.exit());

async function run({ port, token, paths, perSecond, seconds }: Load): Promise<Answered> {
  const free = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  const connections = [...free];
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  const count = Math.round(perSecond * seconds);
  const latencies = Array.from<number>({ length: count }).fill(Infinity);
  const waiting: number[] = [];
  let [refused, bytes, answered, next] = [0, 0, 0, 0];
  const usage = process.cpuUsage();
  const began = performance.now();
  const dueAt = (number: number): number => began + (number * 1000) / perSecond;
  const send = (connection: Connection, number: number): void => {
    connection.onAnswer = (status, size) => {
      latencies[number] = performance.now() - dueAt(number);
      if (status !== 200) refused += 1;
      bytes += size;
      answered += 1;
      const following = waiting.shift();
      if (following === undefined) free.push(connection);
      else send(connection, following);
    };
    connection.socket.write(requests[number % requests.length] ?? '');
  };
  while (answered < count && performance.now() < dueAt(count) + PATIENCE_MS) {
    for (; next < count && dueAt(next) <= performance.now(); next++) {
      const connection = free.pop();
      if (connection) send(connection, next);
      else waiting.push(next);
    }
    await pause(1);
  }
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(usage);
  for (const { socket } of connections) socket.destroy();
  return { latencies, answered, refused, bytes, ms, cpuMs: (user + system) / 1000 };
}

function open(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection: Connection = { socket, received: Buffer.alloc(0), onAnswer: null };
    socket.once('error', reject);
    socket.once('connect', () => resolve(connection));
    socket.on('data', (chunk) => {
      connection.received = connection.received.length === 0 ? chunk : Buffer.concat([connection.received, chunk]);
      take(connection);
    });
  });
}

/** One answer at a time is on its way, and it says its length. */
function take(connection: Connection): void {
  const { received } = connection;
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return;
  const head = received.toString('latin1', 0, end);
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (length === undefined) throw new Error(`an answer without length: ${head}`);
  const size = end + 4 + Number(length);
  if (received.length < size) return;
  connection.received = received.subarray(size);
  connection.onAnswer?.(Number(head.slice(9, 12)), size);
}
