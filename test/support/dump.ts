/**
 * What a database knows, in terms that do not depend on how it got there: no surrogate ids, batches or times of processing.
 * Two databases that were told the same have equal dumps, whatever happened on the way.
 */
import pg from 'pg';
import { chainHash, contentHash, SEAL_COLUMNS, type SealRow } from '../../services/store/evidence.ts';

export type Dump = Readonly<Record<string, readonly string[]>>;

const TERMS = [
  'account',
  'region',
  'operation',
  'session',
  'access_key',
  'calling_service',
  'network',
  'user_agent',
  'vpc_endpoint',
  'error',
  'context',
  'material',
];

const term = (column: string): string => `(SELECT value FROM term WHERE term.id = t.${column}) AS ${column.replace(/_id$/, '')}`;
const arn = (column: string): string => `(SELECT arn FROM kms_key WHERE kms_key.id = t.${column}) AS ${column.replace(/_id$/, '')}`;
const actor = '(SELECT principal FROM actor WHERE actor.id = t.actor_id) AS actor';

const PROFILE = `(SELECT jsonb_build_array(${[
  'account',
  'region',
  'operation',
  'calling_service',
  'network',
  'user_agent',
  'vpc_endpoint',
  'context',
  'material',
]
  .map((name) => `(SELECT value FROM term WHERE term.id = p.${name}_id)`)
  .join(', ')}, operation_class, session) FROM call_profile p WHERE p.id = t.profile_id) AS profile`;

const SECTIONS: Readonly<Record<string, string>> = {
  events: `SELECT event_time, event_id, essence, flags, operation_class, outcome, shared_event_id, detail,
    ${TERMS.map((name) => term(`${name}_id`)).join(', ')}, ${arn('key_id')}, ${arn('other_key_id')}, ${actor} FROM event_call t`,
  keys: 'SELECT arn, kind, account, region, name, facts, state, rotation_standing, protects_logs FROM kms_key t',
  aliases: `SELECT ${arn('alias_id')}, ${arn('target_key_id')}, as_of, origin FROM key_alias t`,
  findings: `SELECT id, detector, dedup_key, severity, title, status, resolved_at, resolution, key_arn, actor, account, region, first_seen, last_seen,
    occurrences, explanation, details, split_part(subject, ':', 1) AS subject,
    ARRAY(SELECT event_id FROM finding_evidence e WHERE e.finding_id = t.id ORDER BY position) AS evidence FROM finding t`,
  conflicts: `SELECT event_id, ${term('account_id')}, ${term('region_id')}, event_time, essence FROM event_conflict t`,
  hours: `SELECT hour, ${arn('key_id')}, ${actor}, ${PROFILE}, outcome, count, first_at, first_event, last_at, last_event FROM activity_hourly t`,
  users: `SELECT ${arn('key_id')}, ${actor}, ${term('account_id')}, ${term('region_id')}, operation_class, outcome, count, first_at, first_event, last_at, last_event
    FROM key_actor t`,
  aliasUses: `SELECT ${arn('alias_id')}, ${arn('key_id')}, ${actor}, ${term('account_id')}, ${term('region_id')}, operation_class, outcome, count, first_at,
    first_event, last_at, last_event FROM alias_use t`,
  // Not the number of deliveries: it is one of the ways in which the same can come.
  coverage: 'SELECT account, region, source, hour, events, reads, heard, last_at, last_event FROM coverage_hourly t',
  habits: `SELECT ${arn('key_id')}, ${actor}, ${PROFILE}, day, count, first_at, first_event, last_at, last_event FROM habit t`,
  volumes: `SELECT ${arn('key_id')}, ${actor}, day, hours, contexts, first_at, first_event, last_at, last_event FROM volume_daily t`,
  credentials: `SELECT ${term('access_key_id')}, ${term('network_id')}, ${actor}, hour, first_at, first_event, last_at, last_event FROM credential_place t`,
  quarantine: 'SELECT fingerprint, reason FROM quarantine t WHERE released_at IS NULL',
  detectorFailures: 'SELECT detector, message FROM detector_failure t WHERE resolved_at IS NULL',
};

export async function dump(url: string): Promise<Dump> {
  return await asked(url, async (client) => {
    const sections: Record<string, string[]> = {};
    for (const [name, query] of Object.entries(SECTIONS)) {
      const { rows } = await client.query<{ row: string }>(`SELECT to_jsonb(s)::text AS row FROM (${query}) s`);
      sections[name] = rows.map(({ row }) => row).sort();
    }
    return sections;
  });
}

/** Lines that only one of them has, `-` expected and `+` actual; a few of each section. */
export function differences(expected: Dump, actual: Dump): string[] {
  return Object.keys(SECTIONS).flatMap((name) => {
    const lines = [
      ...without(expected[name] ?? [], actual[name] ?? []).map((row) => `${name}: - ${row}`),
      ...without(actual[name] ?? [], expected[name] ?? []).map((row) => `${name}: + ${row}`),
    ];
    return lines.length > 6 ? [...lines.slice(0, 6), `${name}: … ${lines.length} lines`] : lines;
  });
}

function without(rows: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
}

/**
 * What must hold in any database in which no work is left, as a list of what does not: every batch stored, checked, detected and
 * sealed once, the chain unbroken, the sums right, every event's evidence there.
 */
export async function violations(url: string): Promise<string[]> {
  return await asked(url, async (client) => {
    const found: string[] = [];
    for (const [what, query] of Object.entries(INVARIANTS)) {
      const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM (${query}) s`);
      if (rows[0]?.n !== 0) found.push(`${what}: ${rows[0]?.n}`);
    }
    return [...found, ...(await brokenSeals(client))];
  });
}

const INVARIANTS: Readonly<Record<string, string>> = {
  'batches that are not finished': "SELECT FROM ingest_batch WHERE state <> 'stored' OR checked_at IS NULL OR detected_at IS NULL",
  'batches that are not sealed': 'SELECT FROM ingest_batch b WHERE NOT EXISTS (SELECT FROM batch_seal s WHERE s.batch_id = b.id)',
  'payloads left over': 'SELECT FROM delivery_payload',
  'batches whose counts do not add up':
    'SELECT FROM ingest_batch WHERE relevant <> inserted + duplicates OR records < relevant + quarantined',
  'batches that have not the events they say': `SELECT FROM ingest_batch b
    LEFT JOIN (SELECT batch_id, count(*) AS n FROM event GROUP BY batch_id) e ON e.batch_id = b.id
    LEFT JOIN (SELECT batch_id, count(*) AS n FROM observation GROUP BY batch_id) o ON o.batch_id = b.id
    WHERE b.inserted <> coalesce(e.n, 0) OR b.duplicates <> coalesce(o.n, 0)`,
  'events without evidence': `SELECT FROM event e JOIN ingest_batch b ON b.id = e.batch_id
    WHERE NOT EXISTS (SELECT FROM evidence v WHERE v.sha256 = b.evidence_sha256 AND v.records > e.ordinal)`,
  'sums that are not those of the events': `SELECT FROM (SELECT (SELECT count(*) FROM event) AS events, (SELECT coalesce(sum(count), 0) FROM activity_hourly) AS hours) s
    WHERE events <> hours`,
  'totals that are not those of the batches': `SELECT FROM (SELECT source, count(*) AS deliveries, sum(records) AS records, sum(inserted - conflicts) AS stored,
      sum(duplicates) AS duplicates, sum(conflicts) AS conflicts, sum(quarantined) AS quarantined FROM ingest_batch GROUP BY source) b
    FULL JOIN ingest_total t USING (source, deliveries, records, stored, duplicates, conflicts, quarantined) WHERE b.deliveries IS NULL OR t.deliveries IS NULL`,
};

async function brokenSeals(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<SealRow & { sequence: string; content_hash: Buffer; chain_hash: Buffer }>(
    `SELECT s.sequence, s.content_hash, s.chain_hash, ${SEAL_COLUMNS}
     FROM batch_seal s JOIN ingest_batch b ON b.id = s.batch_id ORDER BY s.sequence`,
  );
  let chain: Buffer = Buffer.alloc(32);
  return rows.flatMap((row, index) => {
    const content = contentHash(row);
    chain = chainHash(chain, content);
    const isSound = Number(row.sequence) === index + 1 && content.equals(row.content_hash) && chain.equals(row.chain_hash);
    return isSound ? [] : [`seal ${row.sequence} of batch ${row.id} is broken`];
  });
}

async function asked<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
