/** What people say of a finding. Every word is kept in its history, with who said it. */
import type pg from 'pg';
import type { FindingStatus } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';
import { signalChanges, type SignalledChange } from './alerts-signals.ts';
import { inTransaction } from './transaction.ts';

/**
 * - `acknowledge`: somebody is at it; nobody else need be told again. `reopen` takes that, or a `resolve`, back.
 * - `resolve`: done with; holds until the finding is seen again.
 * - `assign`: to somebody, or with null to nobody. `comment`: only words.
 */
export type FindingWord =
  | { readonly verb: 'acknowledge' | 'resolve' | 'reopen'; readonly comment: string | null }
  | { readonly verb: 'comment'; readonly comment: string }
  | { readonly verb: 'assign'; readonly assignee: string | null; readonly comment: string | null };

export type WordOutcome =
  | { readonly ok: true; readonly status: FindingStatus }
  | { readonly ok: false; readonly reason: 'not-found' | 'not-possible'; readonly status: FindingStatus | null };

const FROM: Readonly<Record<'acknowledge' | 'resolve' | 'reopen', readonly FindingStatus[]>> = {
  acknowledge: ['open'],
  resolve: ['open', 'acknowledged', 'suppressed'],
  reopen: ['acknowledged', 'resolved'],
};
const TO = { acknowledge: 'acknowledged', resolve: 'resolved', reopen: 'open' } as const;
const SIGNAL = { acknowledge: 'acknowledged', resolve: 'resolved', reopen: 'unacknowledged' } as const satisfies Record<
  string,
  SignalledChange
>;

/** Saying the same twice is no error and changes nothing. */
export async function say(
  pool: pg.Pool,
  id: string,
  said: FindingWord & { readonly by: string; readonly at: number },
): Promise<WordOutcome> {
  return await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ status: FindingStatus; resolution: string | null; dismissed_seen: number | null }>(
      'SELECT status, resolution, dismissed_seen FROM finding WHERE id = $1 FOR UPDATE',
      [id],
    );
    const [finding] = rows;
    if (!finding) return { ok: false, reason: 'not-found', status: null };
    let { status } = finding;
    if (said.verb === 'assign') {
      await client.query('UPDATE finding SET assignee = $2 WHERE id = $1', [id, said.assignee]);
    } else if (said.verb !== 'comment') {
      const to = TO[said.verb];
      if (status === to) return { ok: true, status };
      // What the world has mended is not opened by a word; only a person's own "resolved" is taken back.
      const isDismissal = finding.dismissed_seen !== null;
      if (!FROM[said.verb].includes(status) || (said.verb === 'reopen' && status === 'resolved' && !isDismissal))
        return { ok: false, reason: 'not-possible', status };
      status = to;
      await client.query(
        `UPDATE finding SET status = $2, suppression_id = NULL, dismissed_seen = CASE WHEN $3 THEN last_seen END,
           resolved_at = CASE WHEN $3 THEN $4::timestamptz END, resolution = CASE WHEN $3 THEN $5 END WHERE id = $1`,
        [id, to, said.verb === 'resolve', new Date(said.at), `Resolved by ${said.by}.`],
      );
      await signalChanges(client, { changes: [{ findingId: id, change: SIGNAL[said.verb] }], committedAt: said.at });
    }
    const detail: JsonObject = { from: finding.status, comment: said.comment, ...(said.verb === 'assign' && { assignee: said.assignee }) };
    await client.query('INSERT INTO finding_history (finding_id, at, change, by, detail) VALUES ($1, $2, $3, $4, $5)', [
      id,
      new Date(said.at),
      said.verb,
      said.by,
      JSON.stringify(detail),
    ]);
    return { ok: true, status };
  });
}
