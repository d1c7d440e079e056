import { visible } from '../../api/text/visible.ts';
import { counted, iso, number } from '../../api/text/words.ts';
import { KmswatchError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { AwsFailure } from '../../platform/aws.ts';
import { inventorySchema } from '../../sources/inventory/config.ts';
import { type InventoryPlace, placesOf } from '../../sources/inventory/place.ts';
import { readRun, type RunSummary } from '../../store/read/inventory.ts';
import { type InventoryParts, type Progress, type Synced, syncPlace } from '../../workers/inventory.ts';
import { openInventoryParts } from '../../workers/inventory-schedule.ts';
import { runUnder } from '../../workers/loop.ts';
import type { Service } from '../../workers/service.ts';
import { type App, Interrupted } from '../app.ts';
import { printJson } from '../json.ts';
import { withService } from '../opened.ts';
import { paint } from '../out.ts';
import { printRemark } from '../problem.ts';
import { table } from '../table.ts';

export interface SyncOptions {
  readonly account?: string;
  readonly region?: string;
  readonly json?: boolean;
}

interface Result {
  readonly place: InventoryPlace;
  readonly synced: Synced;
  readonly summary: RunSummary | null;
}

/** Reads inventories now and prints what came of it. */
export async function syncKeys(app: App, options: SyncOptions): Promise<void> {
  await withService(app, { judgeBy: 'clock', name: 'keys sync', quiet: true }, async (service) => {
    const config = service.config.inventory ?? inventorySchema.parse({ accounts: [{ account: '000000000000', regions: ['us-east-1'] }] });
    const parts = await openInventoryParts(service, config);
    const places = await placesFor(service, parts, options);
    const results = await runUnder(service.lifecycle, 'inventory', () => syncAll(app, parts, { places, atATime: config.places }));
    app.status.clear();
    if (app.interrupt.aborted) throw new Interrupted();
    if (options.json) printJson(app.out.stdout, { places: results.map(resultJson) });
    else print(app, results);
    app.finish(results.every(({ synced }) => synced.outcome === 'finished') ? 0 : 1);
  });
}

async function placesFor({ config }: Service, { aws }: InventoryParts, { account, region }: SyncOptions): Promise<InventoryPlace[]> {
  if (config.inventory === undefined) return [await ownPlace(aws, { account, region })];
  const places = placesOf(config.inventory).filter(
    (place) => (account === undefined || place.account === account) && (region === undefined || place.region === region),
  );
  if (places.length > 0) return places;
  throw new KmswatchError('NOT_FOUND', 'No account and Region of the inventory section is meant by that.', {
    hint: 'Leave --account and --region away to read all, or add it to the configuration.',
  });
}

/** Without a configuration: the account that the credentials at hand are of. */
async function ownPlace(aws: InventoryParts['aws'], { account, region }: SyncOptions): Promise<InventoryPlace> {
  if (region === undefined)
    throw new KmswatchError('INPUT_INVALID', 'No inventory is configured, and no Region is named.', {
      hint: 'Add an inventory section (docs/inventory.md), or give --region to read the account of the credentials at hand.',
    });
  const place = { region, role: null };
  try {
    return { ...place, account: account ?? (await aws.accountOf(place)) };
  } catch (error) {
    if (!(error instanceof AwsFailure)) throw error;
    throw new KmswatchError('SOURCE_UNREADABLE', `AWS does not say whose credentials these are: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}

async function syncAll(
  app: App,
  parts: InventoryParts,
  { places, atATime }: { readonly places: readonly InventoryPlace[]; readonly atATime: number },
): Promise<Result[]> {
  const progress = new Map<InventoryPlace, Progress>();
  const results: Result[] = [];
  const show = (): void => {
    const [done, keys] = [...progress.values()].reduce(([a, b], each) => [a + each.done, b + each.keys], [0, 0]);
    app.status.show(
      `Reading keys: ${number(done)} of ${number(keys)}, ${number(results.length)} of ${counted(places.length, 'account and Region', 'accounts and Regions')} done`,
    );
  };
  const left = places.values();
  const work = async (): Promise<void> => {
    for (const place of left) {
      if (parts.signal.aborted) return;
      const synced = await syncPlace(
        {
          ...parts,
          onProgress: (_, now) => {
            progress.set(place, now);
            show();
          },
        },
        place,
      );
      const summary = synced.run === null ? null : await readRun(parts.deps.pool, synced.run, parts.clock.now());
      results.push({ place, synced, summary });
      show();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, places.length) }, work));
  return results.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ place }: Result): string {
  return `${place.account} ${place.region}`;
}

function resultJson({ place, synced, summary }: Result): Json {
  return {
    account: place.account,
    region: place.region,
    outcome: synced.outcome,
    failure:
      synced.outcome === 'failed' ? { reason: synced.failure.reason, code: synced.failure.code, message: synced.failure.message } : null,
    run: synced.run,
    started_at: iso(summary?.startedAt),
    finished_at: iso(summary?.finishedAt),
    keys: total(summary?.readings ?? {}),
    readings: { ...summary?.readings },
    unread: { ...summary?.unread },
    drift: Object.fromEntries(Object.entries(summary?.drift ?? {}).map(([fact, { due, pending }]) => [fact, { due, pending }])),
  };
}

function print({ out: { stdout, stderr } }: App, results: readonly Result[]): void {
  const rows = results.map(({ place, synced, summary }) => {
    const { readable = 0, partly = 0, unreadable = 0, gone = 0 } = summary?.readings ?? {};
    const drift = Object.entries(summary?.drift ?? {}).map(
      ([fact, { due, pending }]) => `${number(due)}${pending > 0 ? ` (+${pending})` : ''} ${fact}`,
    );
    const outcome = paint(stdout, synced.outcome === 'finished' ? 'green' : 'red', synced.outcome);
    const reasons = Object.entries(summary?.unread ?? {}).map(([reason, count]) => `${number(count)} ${reason}`);
    return [
      place.account,
      place.region,
      outcome,
      ...[readable, partly, unreadable, gone].map(number),
      reasons.join(', ') || '-',
      drift.join(', ') || '-',
    ];
  });
  stdout.write(table(stdout, COLUMNS, rows));
  for (const { place, synced } of results) {
    const where = `${place.account} ${place.region}`;
    if (synced.outcome === 'failed') printRemark(stderr, `${where}: ${visible(synced.failure.message, 600)} (${synced.failure.hint})`);
    if (synced.outcome === 'busy') printRemark(stderr, `${where} is being read by another process.`);
  }
  if (results.some(({ summary }) => Object.values(summary?.drift ?? {}).some(({ pending }) => pending > 0)))
    printRemark(stderr, 'Differences in brackets may still be explained by late events.');
}

const COLUMNS = [
  { head: 'ACCOUNT' },
  { head: 'REGION' },
  { head: 'OUTCOME' },
  { head: 'READABLE', align: 'right' },
  { head: 'PARTLY', align: 'right' },
  { head: 'UNREADABLE', align: 'right' },
  { head: 'GONE', align: 'right' },
  { head: 'REASONS', least: 16 },
  { head: 'DRIFT', least: 12 },
] as const;

function total(readings: Readonly<Record<string, number>>): number {
  return Object.values(readings).reduce((sum, count) => sum + count, 0);
}
