import { z } from 'zod';
import type { AccountSubject, IntegrityVerdict, Subject } from '../../services/detectors/contract.ts';

const time = z.iso.datetime().transform((text) => Date.parse(text));

/** How a fixture of a detector tells what validation found wrong with the trails of an account. */
export const integritySchema = z.array(
  z.strictObject({
    account: z.string(),
    region: z.string(),
    trail: z.string().nullable(),
    verdict: z.string(),
    bucket: z.string().default('company-trail-logs'),
    key: z.string(),
    reason: z.string(),
    begin: time.nullable().default(null),
    end: time,
    resolved_at: time.nullable().default(null),
  }),
);

/** Accounts of whose trails something is wrong are judged, whether there is a control event of them or not. */
export function withIntegrity(subjects: readonly Subject[], told: z.infer<typeof integritySchema>): Subject[] {
  const byAccount = new Map<string, IntegrityVerdict[]>();
  for (const { account, resolved_at: resolvedAt, ...problem } of told)
    byAccount.set(account, [...(byAccount.get(account) ?? []), { ...problem, resolvedAt }]);
  const known = subjects.map((subject): Subject => {
    const integrity = subject.kind === 'account' ? byAccount.get(subject.account) : undefined;
    return subject.kind === 'account' && integrity ? { ...subject, integrity } : subject;
  });
  const accounts = new Set(subjects.flatMap((subject) => (subject.kind === 'account' ? [subject.account] : [])));
  const others = [...byAccount].filter(([account]) => !accounts.has(account));
  return [
    ...known,
    ...others.map(([account, integrity]): AccountSubject => ({ kind: 'account', account, timeline: [], conflicts: [], integrity })),
  ];
}
