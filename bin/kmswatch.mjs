#!/usr/bin/env -S node --max-semi-space-size=16
/**
 * The `kmswatch` command: runs services/cli/main.ts on a Node that can. Its young objects get 16 MB at a time instead of the 64 of Node 24:
 * under load that is 70 MB less of resident memory, for no measurable time.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { isNewEnough, requireNode24, runAndExit } from './node24.mjs';

if (isNewEnough(process.versions.node)) {
  // Types are stripped and modules compiled once, not at every command.
  module.enableCompileCache?.();
  if (process.channel) endWithLauncher();
  await import('../services/cli/main.ts');
} else {
  runAndExit(requireNode24(), ['--max-semi-space-size=16', fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}

/** A launcher that was killed without warning must not leave a service behind that nobody can stop. */
function endWithLauncher() {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
