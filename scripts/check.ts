/** All static checks, one after the other; each is an npm script, so that it can be run alone. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

const CHECKS = ['typecheck', 'lint', 'imports', 'format:check', 'generate:check'];

/** Runs every check, failed or not, and prints one line for each that passes and the whole output of each that fails. */
export async function runChecks(): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  for (const check of CHECKS) {
    const started = performance.now();
    const child = spawn('npm', ['run', '--silent', check], { stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = new Promise<boolean>((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code === 0)));
    const [passed, out, err] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
    console.log(`${passed ? '✓' : '✗'} ${check} ${((performance.now() - started) / 1000).toFixed(1)} s`);
    if (passed) continue;
    failed += 1;
    console.log(out + err);
  }
  return { passed: CHECKS.length - failed, failed };
}

if (import.meta.main) {
  const { failed } = await runChecks();
  process.exitCode = failed > 0 ? 1 : 0;
}
