/**
 * Dictionary ids. Terms, keys and actors are resolved before the ingest transaction, each in a statement that commits at once:
 * a term without an event does no harm, no lock is held for long, and what is resolved may be cached at once.
 */
import type pg from 'pg';
import type { KeyRef } from '../core/arn.ts';
import type { Actor } from '../core/event.ts';
import { plainArray, textArray } from './array.ts';

/** What a term stands for. Stored; append only. */
export const TERM = {
  account: 1,
  region: 2,
  /** `service:Operation`. */
  operation: 3,
  session: 4,
  accessKey: 5,
  callingService: 6,
  network: 7,
  userAgent: 8,
  vpcEndpoint: 9,
  error: 10,
  contextShape: 11,
  keyMaterial: 12,
} as const;

export type TermKind = (typeof TERM)[keyof typeof TERM];

/** Entries a cache holds before it starts anew: bounds memory whatever the cardinality of the input. */
const CACHE_LIMIT = 250_000;

export interface Terms {
  /** Id of a resolved term; 0 when it has not been asked for in `want…` and resolved. */
  term(kind: TermKind, value: string): number;
  key(ref: KeyRef): number;
  actor(actor: Actor): number;
  wantTerm(kind: TermKind, value: string): void;
  wantKey(ref: KeyRef): void;
  wantActor(actor: Actor): void;
  /** Id of a resolved call profile; `ids` = the other columns of `call_profile` in their order, joined by commas. */
  profile(ids: string): number;
  wantProfile(ids: string): void;
  /** Resolves all that was wanted, inserting what is new: at most four statements, none when all is cached. */
  resolve(): Promise<void>;
}

interface Cache {
  readonly terms: Map<TermKind, Map<string, number>>;
  readonly keys: Map<string, number>;
  readonly actors: Map<string, number>;
  readonly profiles: Map<string, number>;
}

function emptyCache(): Cache {
  return {
    terms: new Map(Object.values(TERM).map((kind) => [kind, new Map<string, number>()])),
    keys: new Map(),
    actors: new Map(),
    profiles: new Map(),
  };
}

/**
 * One cache a process. Every batch takes a `Terms` of its own from it, so that batches in flight do not mix their wants. A full
 * cache is replaced, not emptied: batches in flight keep the one they began with.
 */
export function createTermCache(pool: pg.Pool): () => Terms {
  let shared = emptyCache();
  let size = 0;

  return () => {
    if (size > CACHE_LIMIT) {
      shared = emptyCache();
      size = 0;
    }
    const cache = shared;
    const wantedTerms = new Map<TermKind, Set<string>>();
    const wantedKeys = new Map<string, KeyRef>();
    const wantedActors = new Map<string, Actor>();
    const wantedProfiles = new Set<string>();

    return {
      term: (kind, value) => cache.terms.get(kind)?.get(value) ?? 0,
      key: (ref) => cache.keys.get(ref.arn) ?? 0,
      actor: (actor) => cache.actors.get(actor.id) ?? 0,
      wantTerm(kind, value) {
        if (cache.terms.get(kind)?.has(value)) return;
        let wanted = wantedTerms.get(kind);
        if (!wanted) wantedTerms.set(kind, (wanted = new Set()));
        wanted.add(value);
      },
      wantKey(ref) {
        if (!cache.keys.has(ref.arn)) wantedKeys.set(ref.arn, ref);
      },
      wantActor(actor) {
        if (!cache.actors.has(actor.id)) wantedActors.set(actor.id, actor);
      },
      profile: (ids) => cache.profiles.get(ids) ?? 0,
      wantProfile(ids) {
        if (!cache.profiles.has(ids)) wantedProfiles.add(ids);
      },
      async resolve() {
        if (wantedTerms.size > 0) size += await resolveTerms(pool, wantedTerms, cache.terms);
        if (wantedKeys.size > 0) size += await resolveKeys(pool, wantedKeys, cache.keys);
        if (wantedActors.size > 0) size += await resolveActors(pool, wantedActors, cache.actors);
        if (wantedProfiles.size > 0) size += await resolveProfiles(pool, wantedProfiles, cache.profiles);
      },
    };
  };
}

async function resolveTerms(pool: pg.Pool, wanted: Map<TermKind, Set<string>>, cache: Cache['terms']): Promise<number> {
  const kinds: number[] = [];
  const values: string[] = [];
  for (const kind of [...wanted.keys()].toSorted((a, b) => a - b)) {
    for (const value of [...(wanted.get(kind) ?? [])].toSorted()) {
      kinds.push(kind);
      values.push(value);
    }
  }
  const rows = await untilAllAreThere(values.length, () =>
    pool.query<{ id: number; at: number }>(
      `WITH input AS (SELECT * FROM unnest($1::smallint[], $2::text[]) WITH ORDINALITY AS t(kind, value, at)),
       fresh AS (
         INSERT INTO term (kind, value)
         SELECT kind, value FROM input i WHERE NOT EXISTS (SELECT FROM term WHERE term.kind = i.kind AND term.value = i.value)
         ORDER BY kind, value ON CONFLICT DO NOTHING RETURNING id, kind, value)
       SELECT f.id, i.at::int FROM fresh f JOIN input i USING (kind, value)
       UNION ALL SELECT t.id, i.at::int FROM term t JOIN input i USING (kind, value)`,
      [plainArray(kinds), textArray(values)],
    ),
  );
  for (const row of rows) {
    cache.get(kinds[row.at - 1] as TermKind)?.set(values[row.at - 1] ?? '', row.id);
  }
  wanted.clear();
  return values.length;
}

async function resolveKeys(pool: pg.Pool, wanted: Map<string, KeyRef>, cache: Map<string, number>): Promise<number> {
  const refs = [...wanted.values()].toSorted((a, b) => (a.arn < b.arn ? -1 : 1));
  const rows = await untilAllAreThere(refs.length, () =>
    pool.query<{ id: number; at: number }>(
      `WITH input AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS t(arn, kind, account, region, name, at)),
       fresh AS (
         INSERT INTO kms_key (arn, kind, account, region, name)
         SELECT arn, kind, account, region, name FROM input i WHERE NOT EXISTS (SELECT FROM kms_key WHERE kms_key.arn = i.arn)
         ORDER BY arn ON CONFLICT DO NOTHING RETURNING id, arn)
       SELECT f.id, i.at::int FROM fresh f JOIN input i USING (arn)
       UNION ALL SELECT k.id, i.at::int FROM kms_key k JOIN input i USING (arn)`,
      [
        textArray(refs.map((ref) => ref.arn)),
        textArray(refs.map((ref) => ref.kind)),
        textArray(refs.map((ref) => ref.account)),
        textArray(refs.map((ref) => ref.region)),
        textArray(refs.map((ref) => ref.id)),
      ],
    ),
  );
  for (const row of rows) {
    cache.set(refs[row.at - 1]?.arn ?? '', row.id);
  }
  wanted.clear();
  return refs.length;
}

async function resolveActors(pool: pg.Pool, wanted: Map<string, Actor>, cache: Map<string, number>): Promise<number> {
  const actors = [...wanted.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const rows = await untilAllAreThere(actors.length, () =>
    pool.query<{ id: number; at: number }>(
      `WITH input AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS t(principal, type, account, name, at)),
       fresh AS (
         INSERT INTO actor (principal, type, account, name)
         SELECT principal, type, account, name FROM input i WHERE NOT EXISTS (SELECT FROM actor WHERE actor.principal = i.principal)
         ORDER BY principal ON CONFLICT DO NOTHING RETURNING id, principal)
       SELECT f.id, i.at::int FROM fresh f JOIN input i USING (principal)
       UNION ALL SELECT a.id, i.at::int FROM actor a JOIN input i USING (principal)`,
      [
        textArray(actors.map((actor) => actor.id)),
        textArray(actors.map((actor) => actor.type)),
        textArray(actors.map((actor) => actor.account)),
        textArray(actors.map((actor) => actor.name)),
      ],
    ),
  );
  for (const row of rows) {
    cache.set(actors[row.at - 1]?.id ?? '', row.id);
  }
  wanted.clear();
  return actors.length;
}

const PROFILE = `account_id, region_id, operation_id, operation_class, calling_service_id, network_id, user_agent_id, vpc_endpoint_id, context_id,
  material_id, session`;

async function resolveProfiles(pool: pg.Pool, wanted: Set<string>, cache: Map<string, number>): Promise<number> {
  const profiles = [...wanted].toSorted();
  const columns = profiles.map((ids) => ids.split(','));
  const rows = await untilAllAreThere(profiles.length, () =>
    pool.query<{ id: number; at: number }>(
      `WITH input AS (SELECT * FROM unnest($1::int[], $2::int[], $3::int[], $4::smallint[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[],
         $11::smallint[]) WITH ORDINALITY AS t(${PROFILE}, at)),
       fresh AS (
         INSERT INTO call_profile (${PROFILE}) SELECT ${PROFILE} FROM input ORDER BY ${PROFILE} ON CONFLICT DO NOTHING RETURNING id, ${PROFILE})
       SELECT f.id, i.at::int FROM fresh f JOIN input i USING (${PROFILE})
       UNION ALL SELECT p.id, i.at::int FROM call_profile p JOIN input i USING (${PROFILE})`,
      Array.from({ length: 11 }, (_, column) => plainArray(columns.map((ids) => ids[column] ?? '0'))),
    ),
  );
  for (const row of rows) cache.set(profiles[row.at - 1] ?? '', row.id);
  wanted.clear();
  return profiles.length;
}

/**
 * A row that another process inserted at the same moment is neither ours nor visible to our snapshot yet;
 * the next statement sees it.
 */
async function untilAllAreThere<R extends { at: number }>(count: number, query: () => Promise<pg.QueryResult<R>>): Promise<R[]> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await query();
    if (new Set(rows.map((row) => row.at)).size >= count) return rows;
    if (attempt >= 8) throw new Error(`dictionary entries did not appear: ${rows.length} of ${count}`);
  }
}
