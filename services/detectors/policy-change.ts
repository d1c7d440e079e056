/** PutKeyPolicy events of a key, each told apart: the same policy again, the settled one restored, or a change. */
import type { KeyFacts } from '../core/key.ts';
import type { KeySubject } from './contract.ts';
import { oncePer } from './once-per.ts';
import { judgeChanges } from './settled.ts';

/** Stands for AWS's default key policy, which CreateKey records do not spell out. */
const DEFAULT_POLICY = '(default)';

export const policyChanges = oncePer((subject: KeySubject) =>
  judgeChanges(
    subject.timeline
      .filter(({ event }) => event.service === 'kms' && event.operation === 'PutKeyPolicy' && event.outcome === 'ok')
      .map(({ event, before }) => ({ event, from: knownPolicy(before), to: comparable(event.detail?.policy ?? null) })),
    false,
  ),
);

function knownPolicy(facts: KeyFacts): string | null {
  if (facts.policyOmitted?.value === true && facts.policyOmitted.at >= (facts.policy?.at ?? 0)) return null;
  if (facts.policy === undefined) return null;
  return facts.policy.value === null ? DEFAULT_POLICY : comparable(facts.policy.value);
}

/** Policy text without the whitespace that consoles and tools add; text that is no JSON stands for itself. */
function comparable(policy: string | null): string | null {
  if (policy === null) return null;
  try {
    return JSON.stringify(JSON.parse(policy));
  } catch {
    return policy;
  }
}
