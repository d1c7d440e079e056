/** A mail server that keeps what it is sent. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { selfSigned } from './certificate.ts';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  /** Whether it came over TLS, and who had logged in. */
  readonly secure: boolean;
  readonly user: string | null;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly certificate: string;
  readonly mails: Mail[];
  readonly logins: string[];
  /** The answer to a recipient: 250, or a number of refusal. */
  recipient: (address: string) => number;
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const { key, cert } = selfSigned('localhost');
  const mails: Mail[] = [];
  const logins: string[] = [];
  const state = { recipient: (_address: string): number => 250 };
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    closeTimeout: 100,
    onRcptTo({ address }, _session, callback) {
      const status = state.recipient(address);
      callback(status === 250 ? null : Object.assign(new Error('refused'), { responseCode: status }));
    },
    onAuth({ username = '', password }, _session, callback) {
      logins.push(username);
      if (password === 'right-password') callback(null, { user: username });
      else callback(Object.assign(new Error(`no such password: ${password}`), { responseCode: 535 }));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
        });
        callback();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return Object.assign(state, {
    port: (server.server.address() as AddressInfo).port,
    certificate: cert,
    mails,
    logins,
    async [Symbol.asyncDispose](): Promise<void> {
      await new Promise<void>((resolve) => server.close(resolve));
    },
  });
}
