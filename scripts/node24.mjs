/**
 * `node scripts/node24.mjs FILE|TOOL [ARGUMENTS]`: runs a script of ours, or an installed development tool, on Node 24
 * whatever Node the machine has. All npm scripts go through it.
 */
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requireNode24, runAndExit } from '../bin/node24.mjs';

const [target = '', ...args] = process.argv.slice(2);
const tool = fileURLToPath(new URL(`../node_modules/.bin/${target}`, import.meta.url));
runAndExit(requireNode24(), [target !== '' && existsSync(tool) ? realpathSync(tool) : target, ...args]);
