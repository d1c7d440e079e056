import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KmsEvent } from '../../services/core/event.ts';
import { normalize } from '../../services/normalize/normalize.ts';

/**
 * Recorded and documented CloudTrail records lie outside the repository, because they are not ours to give away. Where they
 * lie beside it, what we read of each is compared with a second, plain reading that shares no code with the normalizer.
 */
const FOLDER = join(import.meta.dirname, '../../../shared/corpus');
const PRESENT = existsSync(FOLDER);

it(`the corpus of recorded records is ${PRESENT ? 'present, and compared' : 'not on this machine, and nothing is compared'}`, () => {
  expect(existsSync(FOLDER)).toBe(PRESENT);
  expect(recordsOf('').length > 0).toBe(PRESENT);
});

// Not defined rather than skipped where there is no corpus: a skipped test is a failure in CI.
const compare = PRESENT ? describe : (_name: string, _tests: () => void): void => undefined;

compare('recorded records', () => {
  it('are all read without an exception, and each is an event, irrelevant or put aside', () => {
    const outcomes = recordsOf('').map(({ text }) => normalize(Buffer.from(text), () => true).outcome);
    expect(outcomes.length).toBeGreaterThan(1000);
    for (const outcome of outcomes) expect(['ok', 'drop', 'quarantine']).toContain(outcome);
  });

  it('are put aside only where identity or time is missing in the record itself', () => {
    const reasons = recordsOf('').flatMap(({ record, text }) => {
      const normalized = normalize(Buffer.from(text), () => true);
      if (normalized.outcome !== 'quarantine') return [];
      const readableTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(String(record.eventTime ?? record['@timestamp']));
      const excused = (normalized.reason === 'no-event-time' && !readableTime) || (normalized.reason === 'no-event-id' && !record.eventID);
      return excused ? [] : [`${normalized.reason}: ${text.slice(0, 200)}`];
    });
    expect(reasons).toEqual([]);
  });

  it.each(files())('of KMS have the operation, key, actor, account, Region and error of a plain reading: %s', (file) => {
    const compared = recordsOf(file)
      .filter(({ record }) => record.eventSource === 'kms.amazonaws.com')
      .map(({ record, text }) => ({ record, normalized: normalize(Buffer.from(text), (service) => service === 'kms') }))
      .filter(({ record, normalized }) => normalized.outcome === 'ok' || !Number.isNaN(Date.parse(String(record.eventTime))));
    const ours = compared.map(({ normalized }) => (normalized.outcome === 'ok' ? facts(normalized.event) : normalized));
    expect(ours).toEqual(compared.map(({ record }) => plainReading(record)));
    expect(compared).toHaveLength(expectedCount(file));
  });

  it('have one essence, bare and in every envelope', () => {
    const records = recordsOf('awsdocs-kms-developer-guide.ndjson');
    const essences = (envelope: (record: Anything, text: string) => string): string[] =>
      records.map(({ record, text }) => {
        const normalized = normalize(Buffer.from(envelope(record, text)), () => true);
        return normalized.outcome === 'ok' ? normalized.event.essence : normalized.outcome;
      });
    const bare = essences((_record, text) => text);
    expect(new Set(bare).size).toBeGreaterThan(70);
    expect(essences((_record, text) => JSON.stringify({ CloudTrailEvent: text }))).toEqual(bare);
    expect(essences((record) => JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: record }))).toEqual(bare);
    expect(essences((record) => JSON.stringify({ _raw: JSON.stringify(record, null, 2) }))).toEqual(bare);
  });

  it('are found in each of the raw container forms', () => {
    const read = (file: string): string => readFileSync(join(FOLDER, 'raw-forms', file), 'utf8');
    const lines = (file: string): unknown[] =>
      read(file)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    const s3 = readdirSync(join(FOLDER, 'raw-forms')).find((name) => name.startsWith('s3-log-file')) ?? '';
    const forms: Record<string, unknown[]> = {
      'an S3 log file': (JSON.parse(read(s3)) as { Records: unknown[] }).Records,
      'LookupEvents items': lines('lookup-events.jsonl'),
      'an EventBridge message': [JSON.parse(read('eventbridge-envelope.json'))],
      'a bare record': [JSON.parse(read('bare-object.create-volume.json'))],
      'an array': JSON.parse(read('bare-array.KMS-CreateKey.json.cloudtrail')) as unknown[],
      'raw strings': JSON.parse(read('raw-string-field.json')) as unknown[],
      'a Logstash export': lines('logstash-export.ndjson'),
    };
    const outcomes = Object.entries(forms).map(([form, candidates]) => [
      form,
      candidates.length > 0,
      [...new Set(candidates.map((candidate) => normalize(Buffer.from(JSON.stringify(candidate)), () => true).outcome))],
    ]);
    expect(outcomes).toEqual(Object.keys(forms).map((form) => [form, true, ['ok']]));
  });

  it('that are no valid JSON are put aside as that', () => {
    for (const { text } of recordsOf('malformed.ndjson', 'text')) {
      const normalized = normalize(Buffer.from(text), () => true);
      expect(normalized).toMatchObject({ outcome: 'quarantine' });
    }
  });
});

interface Told {
  readonly operation: unknown;
  readonly key: string | null;
  readonly actor: string | null;
  readonly account: unknown;
  readonly region: unknown;
  readonly failed: boolean;
}

function facts(event: KmsEvent): Told {
  const known = event.actor.id.startsWith('arn:') ? event.actor.id : null;
  return {
    operation: event.operation,
    key: event.key?.arn ?? null,
    actor: known,
    account: event.account,
    region: event.region,
    failed: event.outcome !== 'ok',
  };
}

// The plain reading: any, as it would be written at a prompt.
type Anything = Record<string, never>;

function plainReading(record: Anything): Told {
  return {
    operation: record.eventName ?? '(none)',
    key: plainKey(record),
    actor: plainActor(record.userIdentity ?? {}),
    account: record.recipientAccountId ?? (record.userIdentity as Anything | undefined)?.accountId,
    region: record.awsRegion,
    failed: record.errorCode !== undefined,
  };
}

function plainKey(record: Anything): string | null {
  const arns = ((record.resources ?? []) as Anything[]).map((resource) => String(resource.ARN ?? resource.arn ?? ''));
  const request: Anything = record.requestParameters ?? {};
  const listed = arns.filter((arn) => arn.includes(':key/'));
  const first = listed[0];
  if (first !== undefined) return first;
  const response: Anything = record.responseElements ?? {};
  const named = response.keyId ?? (response.keyMetadata as Anything | undefined)?.arn ?? request.keyId ?? request.targetKeyId;
  const text = named === undefined ? '' : String(named);
  if (text.startsWith('arn:')) return text;
  if (text !== '')
    return `arn:aws:kms:${String(record.awsRegion)}:${String(record.recipientAccountId)}:${text.startsWith('alias/') ? text : `key/${text}`}`;
  const message = String(record.errorMessage ?? '');
  const start = message.indexOf('arn:aws:kms:');
  return start < 0 ? null : (message.slice(start).split(/[' ]/)[0] ?? null);
}

function plainActor(identity: Anything): string | null {
  const issuer = ((identity.sessionContext as Anything | undefined)?.sessionIssuer as Anything | undefined)?.arn;
  if (issuer !== undefined) return String(issuer);
  const arn = String(identity.arn ?? '');
  if (!arn.startsWith('arn:')) return null;
  if (!arn.includes(':assumed-role/')) return arn;
  const [head = '', role = ''] = arn.split(/:assumed-role\/|\//, 2);
  return `${head.replace(':sts:', ':iam:')}:role/${role}`;
}

function files(): string[] {
  if (!PRESENT) return [];
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.ndjson') && name !== 'malformed.ndjson')
    .toSorted();
}

/** KMS records whose time can be read, counted by another way than the comparison: in the text of the lines. */
function expectedCount(file: string): number {
  return recordsOf(file).filter(({ text }) => /"eventSource":\s?"kms\.amazonaws\.com"/.test(text) && /"eventTime":\s?"\d{4}-/.test(text))
    .length;
}

/** All records of a file, or of all files. Collisions keep theirs in `record`. */
function recordsOf(file: string, field?: 'text'): { record: Anything; text: string }[] {
  return (file === '' ? files() : [file]).flatMap((name) =>
    readFileSync(join(FOLDER, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const parsed = JSON.parse(line) as Anything;
        if (field !== undefined) return { record: parsed, text: String(parsed[field]) };
        const record: Anything = parsed.record ?? parsed;
        return { record, text: JSON.stringify(record) };
      }),
  );
}
