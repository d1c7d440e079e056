import { z } from 'zod';
import { FINDING_STATUSES } from '../../../core/finding.ts';
import type { Json } from '../../../core/json.ts';
import { SEVERITIES } from '../../../core/severity.ts';
import { readEvidence } from '../../../store/evidence.ts';
import { type FindingWord, say } from '../../../store/finding-words.ts';
import { findFindings, type FindingListed, readFindingBriefs, readHistory } from '../../../store/read/findings.ts';
import { iso } from '../../text/words.ts';
import { cursorParameter, decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem, problemSchema } from '../problem.ts';
import { anything, findingOut, findingSchema, limit, list, maybeTime, name, page, words } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const HISTORY_LIMIT = 500;
const id = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, 'must be the id of a finding') });
const cursor = z.tuple([z.int().min(0).max(9), z.int().min(0).max(9), z.int().min(0).max(8e15), z.string().max(32)]);

const whole = findingSchema
  .extend({
    assignee: z.string().nullable(),
    explanation: z.object({ what: z.string(), why: z.string(), benign: z.string(), now: z.array(z.string()) }),
    resolved_at: maybeTime,
    resolution: z.string().nullable(),
    evaluated_at: maybeTime,
    runbook: z.string(),
    history: z.array(z.object({ at: maybeTime, change: z.string(), by: z.string(), detail: anything })),
    evidence_records: z
      .array(
        z.object({
          event_id: z.string(),
          source: z.string(),
          batch: z.int(),
          ordinal: z.int(),
          evidence_sha256: z.string(),
          record: z.unknown(),
        }),
      )
      .optional()
      .meta({ description: 'Only when asked for: the records as CloudTrail wrote them.' }),
  })
  .meta({ id: 'FindingWhole' });

const said = z.object({ status: z.enum(FINDING_STATUSES) });
const answers = { 200: said, 404: problemSchema, 409: problemSchema };

export function findingRoutes(app: Api, { service: { deps }, audit }: RouteContext): void {
  app.get(
    '/findings',
    {
      schema: {
        summary: 'Findings, the most urgent first',
        tags: ['findings'],
        querystring: z.object({
          severity: list(z.enum(SEVERITIES)),
          detector: list(z.string().max(64)),
          status: list(z.enum(FINDING_STATUSES)),
          key_arn: list(z.string().max(512)),
          account: list(z.string().max(32)),
          actor: list(z.string().max(512)),
          limit,
          cursor: cursorParameter,
        }),
        response: { 200: page(findingSchema), 400: problemSchema },
      },
    },
    async ({ query }) => {
      const { findings, next } = await readFindingBriefs(
        deps.pool,
        {
          severities: query.severity ?? [],
          detectors: query.detector ?? [],
          statuses: query.status ?? [],
          keyArns: query.key_arn ?? [],
          accounts: query.account ?? [],
          actors: query.actor ?? [],
        },
        { limit: query.limit, after: decodeCursor(query.cursor, cursor) },
      );
      return { items: findings.map(findingOut), next: encodeCursor(next) };
    },
  );

  app.get(
    '/findings/:id',
    {
      schema: {
        summary: 'One finding: explanation, history and, when asked for, its evidence records',
        tags: ['findings'],
        params: id,
        querystring: z.object({ evidence: z.enum(['true', 'false']).default('false') }),
        response: { 200: whole, 404: problemSchema },
      },
    },
    async ({ params, query }) => {
      const finding = await findingOf(params.id);
      const history = await readHistory(deps.pool, finding.id, HISTORY_LIMIT);
      const { what, why, benign, now } = finding.explanation;
      return {
        ...findingOut(finding),
        assignee: finding.assignee,
        explanation: { what, why, benign, now: [...now] },
        resolved_at: iso(finding.resolvedAt),
        resolution: finding.resolution,
        evaluated_at: iso(finding.evaluatedAt),
        runbook: `docs/runbooks/${finding.detector}.md`,
        history: history.map(({ at, change, by, detail }) => ({ at: iso(at), change, by, detail })),
        ...(query.evidence === 'true' && { evidence_records: await evidenceOf(finding) }),
      };
    },
  );

  const comment = words.nullable().default(null);
  const simple = z
    .object({ comment })
    .nullish()
    .transform((body) => body ?? { comment: null });
  for (const verb of ['acknowledge', 'resolve', 'reopen'] as const) {
    app.post(
      `/findings/:id/${verb}`,
      {
        config: { scope: 'responder' },
        schema: { summary: SUMMARIES[verb], tags: ['findings'], params: id, body: simple, response: answers },
      },
      async (request) => word(request, request.params.id, { verb, comment: request.body.comment }),
    );
  }
  app.post(
    '/findings/:id/comment',
    {
      config: { scope: 'responder' },
      schema: { summary: 'Say something about it', tags: ['findings'], params: id, body: z.object({ comment: words }), response: answers },
    },
    async (request) => word(request, request.params.id, { verb: 'comment', comment: request.body.comment }),
  );
  app.post(
    '/findings/:id/assign',
    {
      config: { scope: 'responder' },
      schema: {
        summary: 'Give it to somebody, or with null to nobody',
        tags: ['findings'],
        params: id,
        body: z.object({ assignee: name.nullable(), comment }),
        response: answers,
      },
    },
    async (request) => word(request, request.params.id, { verb: 'assign', ...request.body }),
  );

  async function word(request: Parameters<RouteContext['audit']>[0], finding: string, spoken: FindingWord): Promise<z.output<typeof said>> {
    const outcome = await say(deps.pool, finding, { ...spoken, by: request.principal.name, at: deps.clock.now() });
    if (!outcome.ok && outcome.reason === 'not-found') throw new Problem('not-found', `There is no finding ${finding}.`);
    if (!outcome.ok) throw new Problem('conflict', `The finding is ${outcome.status ?? 'gone'}: that is not possible then.`);
    await audit(request, { action: `finding.${spoken.verb}`, target: finding, detail: { ...spoken } });
    if (deps.alerting) await deps.queues.add('notify', {});
    return { status: outcome.status };
  }

  async function findingOf(wanted: string): Promise<FindingListed> {
    const [finding] = await findFindings(deps.pool, wanted, 1);
    if (!finding) throw new Problem('not-found', `There is no finding ${wanted}.`);
    return finding;
  }

  async function evidenceOf({ evidence }: FindingListed): Promise<NonNullable<z.output<typeof whole>['evidence_records']>> {
    const records = await readEvidence(deps.pool, evidence);
    return records.map(({ eventId, source, batchId, ordinal, evidenceSha256, text }) => ({
      event_id: eventId,
      source,
      batch: batchId,
      ordinal,
      evidence_sha256: evidenceSha256,
      record: parsed(text),
    }));
  }
}

const SUMMARIES = {
  acknowledge: 'Say that somebody is at it',
  resolve: 'Say that it is done with, until it is seen again',
  reopen: 'Take an acknowledgement or a "resolved" back',
} as const;

/** The record as JSON; as text where it is none. */
export function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
