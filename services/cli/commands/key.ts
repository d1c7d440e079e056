import type { Command } from 'commander';
import type pg from 'pg';
import { findingJson } from '../../api/json/finding.ts';
import { inventoryJson } from '../../api/json/inventory.ts';
import { keyAccessJson } from '../../api/json/key-access.ts';
import { keyUserJson } from '../../api/json/key-user.ts';
import { factsInOrder, keyJson, managerOf } from '../../api/json/key.ts';
import { visible } from '../../api/text/visible.ts';
import { counted, iso, number, when } from '../../api/text/words.ts';
import { KmswatchError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { rotationOf } from '../../keys/rotation.ts';
import { stateOf } from '../../keys/state.ts';
import type { WhoMay } from '../../keys/who-may.ts';
import { createNameCache } from '../../store/names.ts';
import { type FindingListed, readFindings } from '../../store/read/findings.ts';
import { type DriftListed, type KeyInventory, readDrift, readKeyInventory } from '../../store/read/inventory.ts';
import { findKeys, type KeyListed, type KeyUser, readKeysById, usersOfKey } from '../../store/read/keys.ts';
import { keyAccess } from '../../workers/key-access.ts';
import type { App } from '../app.ts';
import { findingsTable } from '../findings-table.ts';
import { printJson } from '../json.ts';
import { type OutStream, paint } from '../out.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';

const USERS_LIMIT = 200;
const FINDINGS_LIMIT = 200;
const USERS_SHOWN = 25;

/** Facts whose value is a moment in epoch milliseconds. */
const MOMENTS = new Set(['created', 'lastRotated']);

export function registerKey(program: Command, app: App): void {
  program
    .command('key')
    .summary('one key: state, how we know it, who uses it')
    .description(
      'Shows one key: its state, every fact with the event that it comes from, who uses it and who may, its aliases and findings.',
    )
    .argument('<key>', 'ARN, key id, alias name or alias ARN')
    .option('--json', 'print everything as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch key alias/payments\n  $ kmswatch key 1234abcd-12ab-34cd-56ef-1234567890ab --json')
    .action((named: string, options: { readonly json?: boolean }) =>
      withReader(app, async ({ pool }) => {
        const key = await findOne(pool, named);
        const users = await usersOfKey(pool, key.id, USERS_LIMIT);
        const { findings } = await readFindings(pool, { keyArns: [key.arn] }, { limit: FINDINGS_LIMIT });
        const inventory = (await readKeyInventory(pool, [key.id])).get(key.id) ?? null;
        const drift = (await readDrift(pool, [key.id], app.clock.now())).get(key.id) ?? [];
        const access = await keyAccess({ pool, names: createNameCache() }, key);
        const whole = { key, users, access, findings, inventory, drift };
        if (options.json) printJson(app.out.stdout, wholeJson(whole));
        else printKey(app.out.stdout, whole);
      }),
    );
}

interface Whole {
  readonly key: KeyListed;
  readonly users: readonly KeyUser[];
  readonly access: WhoMay;
  readonly findings: readonly FindingListed[];
  /** Null = KMS was never asked about it. */
  readonly inventory: KeyInventory | null;
  readonly drift: readonly DriftListed[];
}

async function findOne(pool: pg.Pool, named: string): Promise<KeyListed> {
  const found = await findKeys(pool, named, 20);
  const ids = [...new Set(found.flatMap(({ id }) => (id === null ? [] : [id])))];
  if (ids.length > 1) {
    const arns = [...new Set(found.flatMap(({ arn }) => (arn === null ? [] : [arn])))];
    throw new KmswatchError('AMBIGUOUS', `${JSON.stringify(named)} is several keys:\n${arns.map((arn) => `  ${arn}`).join('\n')}`, {
      hint: 'Give one of the ARNs.',
    });
  }
  const [key] = await readKeysById(pool, ids);
  if (key) return key;
  const [alias] = found;
  if (alias)
    throw new KmswatchError(
      'NOT_FOUND',
      `The alias ${alias.alias ?? named} points to no key that is known: it was deleted, or no record tells.`,
    );
  throw new KmswatchError('NOT_FOUND', `No record tells of a key ${JSON.stringify(named)}.`, {
    hint: '`kmswatch keys` lists those that are known.',
  });
}

function wholeJson({ key, users, access, findings, inventory, drift }: Whole): JsonObject {
  return {
    ...keyJson(key),
    rotation_standing: key.rotationStanding,
    protects_logs: key.protectsLogs,
    facts: Object.fromEntries(
      factsInOrder(key.facts).map(({ name, fact }) => [
        name,
        { value: fact.value as Json, as_of: iso(fact.at), origin: fact.origin, inferred: fact.inferred === true },
      ]),
    ),
    users: users.map(keyUserJson),
    access: keyAccessJson(access),
    findings: findings.map(findingJson),
    inventory: inventoryJson(inventory ?? undefined, drift),
  };
}

function printKey(stream: OutStream, { key, users, access, findings, inventory, drift }: Whole): void {
  const heading = (text: string): void => stream.write(`\n${paint(stream, 'bold', text)}\n`);
  const { facts, aliases } = key;
  const rotation = rotationOf(facts, aliases);
  stream.write(`${paint(stream, 'bold', visible(key.arn))}\n`);
  const lines: [string, string][] = [
    ['state', stateOf(facts) ?? 'unknown'],
    ['manager', visible(managerOf(facts, aliases) ?? 'unknown')],
    [
      'rotation',
      `${key.rotationStanding ?? 'unknown'}: ${rotation.eligible === null ? 'unknown whether it can rotate' : rotation.eligible ? 'can rotate' : 'cannot rotate'}, ${visible(rotation.reason)}`,
    ],
    ['aliases', visible(aliases.join(', ')) || '-'],
    ['last used', when(key.lastUsedAt)],
    ...inventoryLines(inventory),
    ...(key.protectsLogs ? ([['protects', 'CloudTrail logs']] as [string, string][]) : []),
  ];
  for (const [name, value] of lines) stream.write(`  ${paint(stream, 'dim', name.padEnd(9))} ${value}\n`);
  heading('How we know');
  const known = factsInOrder(facts).map(({ name, fact }) => [
    visible(name, 60),
    valueText(name, fact.value),
    when(fact.at),
    `${visible(fact.origin, 80)}${fact.inferred ? ' (inferred)' : ''}`,
  ]);
  stream.write(
    known.length === 0
      ? '  No record of its administration was seen, and KMS was not asked or did not answer.\n'
      : table(stream, [{ head: 'FACT' }, { head: 'VALUE', least: 20 }, { head: 'AS OF' }, { head: 'FROM' }], known),
  );
  if (drift.length > 0) {
    heading('Where KMS says otherwise than the events: some were missed');
    const rows = drift.map(({ fact, eventsSay, inventorySays, firstSeen }) => [
      fact,
      sideText(eventsSay),
      sideText(inventorySays),
      when(firstSeen),
    ]);
    stream.write(table(stream, [{ head: 'FACT' }, { head: 'EVENTS', least: 20 }, { head: 'KMS', least: 20 }, { head: 'SINCE' }], rows));
  }
  heading('Who uses it');
  stream.write(users.length === 0 ? '  Nobody that was seen.\n' : usersTable(stream, users));
  heading('Who may use it');
  stream.write(accessText(stream, access));
  heading('Findings');
  stream.write(findings.length === 0 ? '  None.\n' : findingsTable(stream, findings, { ids: true }));
}

function inventoryLines(inventory: KeyInventory | null): [string, string][] {
  if (inventory === null) return [];
  const { reading, reason, asOf, unread, lastUsage, runId } = inventory;
  const refused = Object.entries(unread).map(([call, why]) => `${call} ${why}`);
  const told = reading === 'gone' ? 'KMS knows no such key' : [reading, reason].filter((part) => part !== null).join(', ');
  return [
    ['inventory', `${told} (inventory:${runId}, ${when(asOf)})`],
    ...(reading === 'partly' ? ([['unread', refused.join(', ')]] as [string, string][]) : []),
    ...(lastUsage ? ([['', usageText(lastUsage)]] as [string, string][]) : []),
  ];
}

function usageText({ operation, at, trackedSince }: NonNullable<KeyInventory['lastUsage']>): string {
  const since = trackedSince === null ? '' : `, remembered since ${when(trackedSince)}`;
  return at === null ? `KMS remembers no use${since}` : `KMS remembers ${visible(operation ?? 'a use', 60)} ${when(at)}${since}`;
}

function sideText({ value, asOf }: DriftListed['eventsSay']): string {
  const text =
    value === null ? 'nothing' : typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : value.join(' ') || 'none';
  return visible(asOf === null ? text : `${text} (${when(asOf)})`, 300);
}

function usersTable(stream: OutStream, users: readonly KeyUser[]): string {
  const columns = [
    { head: 'WHO', least: 24 },
    { head: 'TYPE' },
    { head: 'USES', align: 'right' },
    { head: 'OTHER CALLS', align: 'right' },
    { head: 'DENIED', align: 'right' },
    { head: 'FAILED', align: 'right' },
    { head: 'FIRST' },
    { head: 'LAST' },
  ] as const;
  const rows = users
    .slice(0, USERS_SHOWN)
    .map((user) => [
      visible(user.principal, 200),
      visible(user.type),
      number(user.uses),
      number(user.others),
      number(user.denied),
      number(user.failed),
      when(user.firstAt),
      when(user.lastAt),
    ]);
  const more =
    users.length > USERS_SHOWN
      ? `  and ${counted(users.length - USERS_SHOWN, 'more', 'more')}${users.length === USERS_LIMIT ? ' or more' : ''}\n`
      : '';
  return `${table(stream, columns, rows)}${more}`;
}

function accessText(stream: OutStream, { permitted, accountDecides, unknown }: WhoMay): string {
  const rows = permitted
    .slice(0, USERS_SHOWN)
    .map(({ principal, through, operations, limited, grants, services }) => [
      visible(principal, 200),
      through.join(', '),
      visible(operations.join(', '), 300),
      limited ? 'yes' : 'no',
      grants === 0 ? '' : number(grants),
      visible(services.join(', '), 100),
    ]);
  const columns = [
    { head: 'WHO', least: 24 },
    { head: 'BY' },
    { head: 'OPERATIONS', least: 24 },
    { head: 'LIMITED' },
    { head: 'GRANTS', align: 'right' },
    { head: 'GIVEN BY SERVICES' },
  ] as const;
  const more = permitted.length - rows.length;
  return [
    rows.length === 0 ? '  Nobody that is known.\n' : table(stream, columns, rows),
    more > 0 ? `  and ${counted(more, 'more', 'more')}\n` : '',
    accountDecides ? "  IAM policies of the key's account may let others of it in.\n" : '',
    ...unknown.map((sentence) => `  ${visible(sentence, 300)}\n`),
  ].join('');
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && MOMENTS.has(name)) return when(value);
  return visible(typeof value === 'string' ? value : JSON.stringify(value), 200);
}
