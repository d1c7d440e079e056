/** `npm run bench -- NAME [ARGUMENTS]`: runs bench/NAME.ts; without a name, lists the benchmarks. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../bench/', import.meta.url));
const [name = '', ...args] = process.argv.slice(2);
if (/^[a-z][a-z-]*$/.test(name) && existsSync(`${folder}${name}.ts`)) {
  spawn(process.execPath, [`${folder}${name}.ts`, ...args], { stdio: 'inherit' }).on('close', (code) => process.exit(code ?? 1));
} else {
  const names = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  console.error(`Usage: npm run bench -- NAME [--json]\nBenchmarks: ${names.map((file) => file.slice(0, -'.ts'.length)).join(', ')}`);
  process.exitCode = 2;
}
