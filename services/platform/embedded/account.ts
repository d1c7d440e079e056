/**
 * Under whom the embedded server runs. Postgres refuses to run as root, so a root process needs somebody else who can
 * reach both the data directory and the server's programs. In this order:
 *
 * 1. not root: we ourselves;
 * 2. the owner of the existing cluster, of the data directory or of what it lies in (`sudo` in one's own project), then `nobody`:
 *    the server's directories are given to them;
 * 3. where none of them may enter (a project beneath `/root`, mode 0700): ourselves within a user namespace that shows
 *    root as `nobody`. On disk everything stays root's, so everything stays reachable.
 *
 * Reachability is tried out, never computed: mount options, ACLs and security modules have a say too.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KmswatchError } from '../../core/errors.ts';
import { GUARD, OTHER_DATABASE_HINT, type PostgresBinaries } from './binaries.ts';
import { run } from './run.ts';

export interface RunAs {
  /** For people and logs. */
  readonly label: string;
  /** User to become when spawning; empty for our own. */
  readonly credentials: { readonly uid?: number; readonly gid?: number };
  /** Who owns the server's directories on disk. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** The command line that runs a program under this account. */
  command(program: string, args: readonly string[]): [string, ...string[]];
}

/** @throws KmswatchError EMBEDDED_POSTGRES_UNAVAILABLE when no account can run the server here */
export async function chooseAccount(dataDir: string, cluster: string, binaries: PostgresBinaries): Promise<RunAs> {
  const failures: string[] = [];
  for (const candidate of await candidates(dataDir, cluster)) {
    const script = 'cd "$1" && [ -r "$3" ] && exec "$2" --version';
    const probe = await run(candidate, '/bin/sh', ['-c', script, 'sh', dataDir, binaries.postgres, GUARD]);
    if (probe.code === 0) return candidate;
    failures.push(`${candidate.label}: ${probe.output.trim().split('\n').at(-1) || 'cannot reach its files'}`);
  }
  const message = `The embedded Postgres cannot run here. Tried as ${failures.join('; as ')}.`;
  const hint = message.includes('shared libraries')
    ? `Run \`npm rebuild\`, which puts the server's libraries in place. Or: ${OTHER_DATABASE_HINT}`
    : `${OTHER_DATABASE_HINT} Or set KMSWATCH_DATA_DIR to a directory that other users may enter, or start kmswatch as another user than root.`;
  throw new KmswatchError('EMBEDDED_POSTGRES_UNAVAILABLE', message, { hint });
}

async function candidates(dataDir: string, cluster: string): Promise<RunAs[]> {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const users = await readUsers();
  const nobody = users.find((user) => user.name === 'nobody' && user.uid !== 0) ?? users.find((user) => user.uid !== 0);
  const disguised = nobody && asInNamespace({ uid, gid }, nobody);
  if (uid !== 0) {
    // initdb wants its user to have a name, which a bare `--user 1234` of a container lacks.
    return users.some((user) => user.uid === uid) || !disguised ? [asOurselves({ uid, gid })] : [disguised, asOurselves({ uid, gid })];
  }
  const owners = [await ownerOf(cluster), await ownerOf(dataDir), await ownerOf(dirname(dataDir))];
  const known = owners.flatMap((owner) => users.filter((user) => user.uid === owner && owner !== 0));
  const others = new Map([...known, ...(nobody ? [nobody] : [])].map((user) => [user.uid, asUser(user)]));
  return [...others.values(), ...(disguised ? [disguised] : [])];
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

async function readUsers(): Promise<User[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const users: User[] = [];
  for (const line of text.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    if (name !== '' && /^\d+$/.test(uid) && /^\d+$/.test(gid)) users.push({ name, uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

async function ownerOf(path: string): Promise<number | null> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return (await stat(at)).uid;
    } catch {
      if (at === dirname(at)) return null;
    }
  }
}

function asOurselves(owner: RunAs['owner']): RunAs {
  return { label: `user ${owner.uid}`, credentials: {}, owner, command: (program, args) => [program, ...args] };
}

function asUser(user: User): RunAs {
  const owner = { uid: user.uid, gid: user.gid };
  return { label: user.name, credentials: owner, owner, command: (program, args) => [program, ...args] };
}

function asInNamespace(owner: RunAs['owner'], shown: User): RunAs {
  const unshare = ['unshare', '--user', `--map-user=${shown.uid}`, `--map-group=${shown.gid}`, '--'] as const;
  return {
    label: `${shown.name} in a user namespace`,
    credentials: {},
    owner,
    command: (program, args) => [...unshare, program, ...args],
  };
}
