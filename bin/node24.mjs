/**
 * Finds the Node that everything runs on: Node 24.3 or newer, since the TypeScript sources are run unbuilt. Where the
 * running Node is older, it is the pinned one from the `node-linux-*` package. Plain JavaScript that Node 20 understands.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** @param {string} version for example `24.21.0` */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 3);
}

/** Path of the pinned Node's executable, or null on a platform that has none. */
function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`);
    const executable = join(dirname(manifest), 'bin', 'node');
    return existsSync(executable) ? executable : null;
  } catch {
    return null;
  }
}

/** The executable to run things with: the running Node where it is new enough, else the pinned one. Exits 1 where there is neither. */
export function requireNode24() {
  const node = isNewEnough(process.versions.node) ? process.execPath : pinnedNode();
  if (node !== null) return node;
  fail(`kmswatch needs Node 24.3 or newer; this is ${process.version}. Install Node 24 from https://nodejs.org, then try again.
(On Linux x64 and arm64 "npm ci" brings Node 24 along, unless optional packages are left out.)`);
}

/**
 * Runs `node args…` with the pinned Node first on the PATH, and ends this process as that one ended.
 * @param {string} node executable
 * @param {string[]} args
 */
export function runAndExit(node, args) {
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].filter(Boolean).join(delimiter) };
  // The extra channel tells the child when this process is gone, even by SIGKILL (see bin/kmswatch.mjs).
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env });
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    if (signal === 'SIGTERM' || !isTerminalForeground()) child.kill(signal);
  };
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  for (const signal of signals) process.on(signal, forward);
  child.on('error', (error) => fail(`Cannot start ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of signals) process.removeListener(name, forward);
    process.kill(process.pid, signal);
  });
}

/** Whether a terminal's Ctrl-C goes to this process and, as it is in the same process group, to its child as well. */
function isTerminalForeground() {
  try {
    // Fields after the command's closing parenthesis: state, parent, process group, session, terminal, foreground group.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return false;
  }
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
