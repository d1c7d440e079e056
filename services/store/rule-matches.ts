/** Matches of the user's own rules, counted. Sums, earliest and latest only, so that batches may be stored in any order. */
import type pg from 'pg';
import type { Actor } from '../core/event.ts';
import { plainArray } from './array.ts';
import type { NameCache } from './names.ts';
import { type Bucket, count, MERGE, measures, type RolledEvent } from './rollup.ts';

/** Rows read of one account; a rule that matches everything must not make its account unreadable. The latest count. */
const READ_LIMIT = 5_000;

export class RuleMatches {
  readonly #buckets = new Map<string, Bucket>();
  readonly #rules = new Map<string, string>();

  add(event: RolledEvent & { readonly rules: readonly string[] }): void {
    const { accountId, regionId, actorId, keyId, operationId, rules } = event;
    for (const rule of rules) {
      const key = `${accountId},${rule},${regionId},${actorId},${keyId},${operationId}`;
      count(this.#buckets, key, event, () => [accountId, regionId, actorId, keyId, operationId]);
      this.#rules.set(key, rule);
    }
  }

  /** Nothing is asked of the database when no rule matched. In one order everywhere, so that concurrent batches do not deadlock. */
  async merge(client: pg.ClientBase): Promise<void> {
    if (this.#buckets.size === 0) return;
    const all = [...this.#buckets].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const buckets = all.map(([, bucket]) => bucket);
    await client.query({
      name: 'merge-rule-match',
      text: `INSERT INTO rule_match AS t (rule, account_id, region_id, actor_id, key_id, operation_id, count, first_at, first_event, last_at, last_event)
        SELECT rule, acc, r, a, k, o, cnt, to_timestamp(fa / 1000.0), fe, to_timestamp(la / 1000.0), le
        FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::float8[], $9::uuid[], $10::float8[], $11::uuid[])
          AS i(rule, acc, r, a, k, o, cnt, fa, fe, la, le)
        ON CONFLICT (account_id, rule, region_id, actor_id, key_id, operation_id) DO UPDATE SET ${MERGE}`,
      values: [
        plainArray(all.map(([key]) => this.#rules.get(key) ?? null)),
        ...Array.from({ length: 5 }, (_, i) => plainArray(buckets.map((bucket) => bucket.ids[i] ?? 0))),
        ...measures(buckets, () => true),
      ],
    });
  }
}

export interface RuleMatchRow {
  readonly accountId: number;
  readonly rule: string;
  readonly region: string;
  readonly actor: Actor;
  readonly keyArn: string | null;
  readonly operation: string;
  readonly count: number;
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}

interface Row {
  account_id: number;
  rule: string;
  region_id: number;
  actor_id: number;
  key_id: number;
  operation_id: number;
  count: number;
  first_at: number;
  first_event: string;
  last_at: number;
  last_event: string;
}

/** What the rules matched in the accounts, at most 5,000 rows an account. */
export async function ruleMatchesOfAccounts(
  client: pg.ClientBase,
  accounts: readonly number[],
  { rules, names }: { rules: readonly string[]; names: NameCache },
): Promise<RuleMatchRow[]> {
  if (rules.length === 0) return [];
  const { rows } = await client.query<Row>({
    name: 'rule-matches-of-accounts',
    text: `SELECT account_id, rule, region_id, actor_id, key_id, operation_id, count, first_at, first_event, last_at, last_event FROM (
        SELECT *, row_number() OVER (PARTITION BY account_id ORDER BY last_at DESC, last_event DESC, rule, actor_id, key_id, operation_id) AS n
        FROM rule_match WHERE account_id = ANY($1::int[]) AND rule = ANY($2::uuid[])) AS ranked
      WHERE n <= ${READ_LIMIT} ORDER BY account_id, rule, first_at, first_event`,
    values: [accounts, rules],
  });
  const { term, key, actor, eventId } = await names.resolve(client, {
    terms: rows.flatMap((row) => [row.region_id, row.operation_id]),
    keys: rows.flatMap((row) => row.key_id || []),
    actors: rows.map((row) => row.actor_id),
    eventIds: rows.flatMap((row) => [row.first_event, row.last_event]),
  });
  return rows.map((row) => ({
    accountId: row.account_id,
    rule: row.rule,
    region: term(row.region_id),
    actor: actor(row.actor_id),
    keyArn: row.key_id === 0 ? null : (key(row.key_id)?.arn ?? null),
    operation: term(row.operation_id),
    count: row.count,
    firstAt: row.first_at,
    firstEventId: eventId(row.first_event),
    lastAt: row.last_at,
    lastEventId: eventId(row.last_event),
  }));
}
