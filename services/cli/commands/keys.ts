import type { Command } from 'commander';
import type pg from 'pg';
import { inventoryJson } from '../../api/json/inventory.ts';
import { keyJson, managerOf } from '../../api/json/key.ts';
import { visible } from '../../api/text/visible.ts';
import { counted, keyName, number, when } from '../../api/text/words.ts';
import type { Json } from '../../core/json.ts';
import { stateOf } from '../../keys/state.ts';
import { type DriftListed, type KeyInventory, readDrift, readKeyInventory } from '../../store/read/inventory.ts';
import { countKeys, type KeyListed, readKeyPage } from '../../store/read/keys.ts';
import type { App } from '../app.ts';
import { parseCount } from '../arguments.ts';
import { printJsonArray } from '../json.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';
import { registerKeysSync } from './keys-sync.ts';

const PAGE = 500;
const TABLE_ROWS = 200;
const MOST = 1_000_000_000;

export function registerKeys(program: Command, app: App): void {
  const keys = program
    .command('keys')
    .summary('KMS keys and what is known of them')
    .description(
      'Lists the KMS keys that the records or an inventory tell of: state, manager, rotation, aliases, last use, and whether KMS lets us read them.',
    )
    .option('--limit <n>', `at most so many (default ${TABLE_ROWS} in a table, all as JSON)`, parseCount(1, MOST))
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch keys\n  $ kmswatch keys --json')
    .action((options: { readonly limit?: number; readonly json?: boolean }) => withReader(app, ({ pool }) => list(app, pool, options)));
  registerKeysSync(keys, app);
}

async function list(app: App, pool: pg.Pool, options: { readonly limit?: number; readonly json?: boolean }): Promise<void> {
  const { stdout, stderr } = app.out;
  if (options.json) {
    await printJsonArray(stdout, keysJson(pool, { limit: options.limit ?? MOST, now: app.clock.now() }));
    return;
  }
  const keys = await readKeyPage(pool, '', options.limit ?? TABLE_ROWS);
  if (keys.length === 0) {
    stderr.write('No keys are known yet.\n');
    return;
  }
  const told = await inventoryOf(pool, keys, app.clock.now());
  const columns = [
    { head: 'KEY', least: 36 },
    { head: 'ACCOUNT' },
    { head: 'REGION' },
    { head: 'STATE' },
    { head: 'MANAGER' },
    { head: 'ROTATION' },
    { head: 'ALIASES', least: 14 },
    { head: 'LAST USED', least: 10 },
    ...(told.inventory.size > 0 ? [{ head: 'INVENTORY', least: 10 }] : []),
  ];
  const cells = (key: KeyListed): string[] => [...row(key), ...(told.inventory.size > 0 ? [standing(key, told)] : [])];
  stdout.write(table(stdout, columns, keys.map(cells)));
  const count = await countKeys(pool);
  if (count > keys.length) stderr.write(`${number(keys.length)} of ${counted(count, 'key')}; --limit shows more.\n`);
}

interface Told {
  readonly inventory: ReadonlyMap<number, KeyInventory>;
  readonly drift: ReadonlyMap<number, readonly DriftListed[]>;
}

async function inventoryOf(pool: pg.Pool, keys: readonly KeyListed[], now: number): Promise<Told> {
  const ids = keys.map(({ id }) => id);
  return { inventory: await readKeyInventory(pool, ids), drift: await readDrift(pool, ids, now) };
}

/** How the last reading of the key went, and where it differs from the events. */
function standing({ id }: KeyListed, { inventory, drift }: Told): string {
  const told = inventory.get(id);
  if (told === undefined) return '-';
  const facts = (drift.get(id) ?? []).map(({ fact }) => fact);
  return [told.reading, told.reason, facts.length > 0 ? `drift: ${facts.join(' ')}` : null].filter((part) => part !== null).join(', ');
}

function row(key: KeyListed): string[] {
  const { facts, aliases } = key;
  const on = facts.rotationEnabled?.value;
  const rotation = key.rotationStanding ?? (on === undefined ? 'unknown' : on ? 'on' : 'off');
  return [
    keyName(key.arn),
    visible(key.account),
    visible(key.region),
    stateOf(facts) ?? 'unknown',
    visible(managerOf(facts, aliases) ?? 'unknown', 20),
    rotation,
    visible(aliases.join(' '), 200) || '-',
    when(key.lastUsedAt),
  ];
}

async function* keysJson(pool: pg.Pool, { limit, now }: { readonly limit: number; readonly now: number }): AsyncGenerator<Json> {
  let after = '';
  for (let left = limit; left > 0; ) {
    const page = await readKeyPage(pool, after, Math.min(PAGE, left));
    const { inventory, drift } = await inventoryOf(pool, page, now);
    for (const key of page) yield { ...keyJson(key), inventory: inventoryJson(inventory.get(key.id), drift.get(key.id)) };
    const last = page.at(-1);
    if (!last) return;
    after = last.arn;
    left -= page.length;
  }
}
