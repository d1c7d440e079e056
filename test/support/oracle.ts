/** What the database has made of records, and what the engine makes of the same records in memory. */
import { expect } from 'vitest';
import type { KmsEvent } from '../../services/core/event.ts';
import { KEY_HARM } from '../../services/core/key-harm.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { relevanceFilter } from '../../services/detectors/configure.ts';
import type { Subject } from '../../services/detectors/contract.ts';
import { deriveFindings } from '../../services/detectors/engine.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { normalize } from '../../services/normalize/normalize.ts';
import { readSubjects } from '../../services/workers/subjects.ts';
import { CONFIGURED, NOBODY, type Pipeline } from './pipeline.ts';

const RELEVANT = relevanceFilter(CONFIGURED, NOBODY);

/** That subjects and findings in the database, judged as of the newest event, are those that the records come to in memory. */
export async function expectAsInMemory(pipeline: Pipeline, records: readonly string[]): Promise<void> {
  const events = eventsOf(records);
  const newest = events.reduce((latest, event) => Math.max(latest, event.eventTime), 0);
  const subjects = subjectsOf(events, NOBODY);
  expect(await storedSubjects(pipeline)).toEqual(subjects);
  expect(await storedFindings(pipeline)).toEqual(findingsOf(subjects, newest));
}

/** Events of records as the service takes them; what it drops or puts aside is left out. */
export function eventsOf(records: readonly (Uint8Array | string)[]): KmsEvent[] {
  return records.flatMap((record) => {
    const result = normalize(typeof record === 'string' ? Buffer.from(record) : record, RELEVANT);
    return result.outcome === 'ok' ? [result.event] : [];
  });
}

/** All subjects that the database can tell of, in the order of `subjectsOf`: keys, aliases, accounts, actors by name. */
export async function storedSubjects({ deps }: Pipeline): Promise<Subject[]> {
  const client = await deps.pool.connect();
  const idsOf = async (query: string): Promise<number[]> => (await client.query<{ id: number }>(query)).rows.map((row) => row.id);
  try {
    const ids = {
      keys: await idsOf("SELECT id FROM kms_key WHERE kind = 'key'"),
      aliases: await idsOf("SELECT id FROM kms_key WHERE kind = 'alias'"),
      accounts: await idsOf(
        `SELECT account_id AS id FROM event_call WHERE (operation_class = 3 AND key_id IS NULL) OR outcome = 6 UNION SELECT account_id FROM event_conflict
         UNION SELECT account_id FROM event_call WHERE operation_class = 3 AND outcome = 0
           AND operation_id IN (SELECT id FROM term WHERE value LIKE 'cloudtrail:%')`,
      ),
      actors: await idsOf(
        `SELECT actor_id AS id FROM event_call WHERE outcome IN (1, 5, 7) UNION SELECT id FROM actor WHERE type = 'root'
         UNION SELECT actor_id FROM habit WHERE key_id = 0 AND actor_id <> 0
         UNION SELECT e.actor_id FROM event_call e JOIN kms_key k ON k.id = e.key_id AND k.kind = 'key' JOIN term t ON t.id = e.operation_id
           WHERE e.operation_class = 3 AND e.outcome = 0
             AND t.value = ANY(ARRAY[${KEY_HARM.map((operation) => `'kms:${operation}'`).join(',')}])`,
      ),
    };
    return (await readSubjects(client, ids, deps)).map(({ subject }) => subject).toSorted(byKindAndName);
  } finally {
    client.release();
  }
}

function byKindAndName(a: Subject, b: Subject): number {
  const order = ['key', 'alias', 'account', 'actor'];
  if (a.kind !== b.kind) return order.indexOf(a.kind) - order.indexOf(b.kind);
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function nameOf(subject: Subject): string {
  return subject.kind === 'account' ? subject.account : subject.kind === 'actor' ? subject.actor.id : subject.arn;
}

/** What the detectors find of subjects, by finding id; a detector that throws fails the test. */
export function findingsOf(subjects: readonly Subject[], asOf: number): DerivedFinding[] {
  return subjects
    .flatMap((subject) => {
      const { findings, failures } = deriveFindings(subject, CONFIGURED, { asOf, organization: NOBODY, now: () => 0 });
      if (failures.length > 0) throw new Error(JSON.stringify(failures));
      return findings;
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The findings in the database, in the form in which detection derives them. */
export async function storedFindings({ deps }: Pipeline): Promise<DerivedFinding[]> {
  const { rows } = await deps.pool.query<DerivedFinding>(
    `SELECT id, detector, dedup_key AS "dedupKey", severity, title, status <> 'resolved' AS open, resolved_at AS "resolvedAt", resolution,
       key_arn AS "keyArn", actor, account, region, first_seen AS "firstSeen", last_seen AS "lastSeen", occurrences,
       ARRAY(SELECT event_id FROM finding_evidence e WHERE e.finding_id = f.id ORDER BY position) AS evidence, explanation, details
     FROM finding f ORDER BY id COLLATE "C"`,
  );
  return rows;
}
