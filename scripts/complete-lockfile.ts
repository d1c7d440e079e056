/**
 * Makes package-lock.json name every platform's optional package, as `npm ci` demands. npm leaves out those that the
 * registry in use did not serve while the lockfile was made (mirrors often hold Linux packages only), and then refuses
 * its own lockfile. Entries added here carry no integrity hash, since nothing was downloaded to compute it from.
 * Run it by `npm run lockfile` after changing dependencies.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  version?: string;
  optionalDependencies?: Record<string, string>;
  dev?: boolean;
  [field: string]: unknown;
}

export interface Lockfile {
  packages: Record<string, Entry>;
  [field: string]: unknown;
}

/** Optional packages that the lockfile's own packages name, but that it holds no entry for. */
export function missingOptionals(lockfile: Lockfile): { parent: Entry; name: string; version: string }[] {
  return Object.values(lockfile.packages).flatMap((parent) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => lockfile.packages[`node_modules/${name}`] === undefined)
      .map(([name, version]) => ({ parent, name, version })),
  );
}

const PLATFORM = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/;

function stub(parent: Entry, name: string, version: string): Entry {
  const [, os, cpu, abi = ''] = PLATFORM.exec(name) ?? [];
  if (os === undefined || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) throw new Error(`cannot complete ${name}@${version}: run npm install`);
  const libc = abi.startsWith('musl') ? ['musl'] : abi.startsWith('gnu') ? ['glibc'] : undefined;
  return { version, cpu: [cpu], ...(parent.dev ? { dev: true } : {}), ...(libc ? { libc } : {}), optional: true, os: [os] };
}

/** The lockfile with an entry for every platform, in npm's order of keys. */
export function completeLockfile(lockfile: Lockfile): Lockfile {
  const added = missingOptionals(lockfile).map(
    ({ parent, name, version }) => [`node_modules/${name}`, stub(parent, name, version)] as const,
  );
  const packages = [...Object.entries(lockfile.packages), ...added].sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lockfile, packages: Object.fromEntries(packages) };
}

if (import.meta.main) {
  const path = new URL('../package-lock.json', import.meta.url);
  const lockfile = JSON.parse(readFileSync(path, 'utf8')) as Lockfile;
  writeFileSync(path, `${JSON.stringify(completeLockfile(lockfile), null, 2)}\n`);
}
