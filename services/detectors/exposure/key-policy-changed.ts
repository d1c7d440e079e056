import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import type { Severity } from '../../core/severity.ts';
import { type PolicyAdministrators, policyAdministrators } from '../../keys/policy-administrators.ts';
import { type PolicyDifference, policyDifference } from '../../keys/policy-difference.ts';
import { policyInForce } from '../../keys/who-may.ts';
import { type Context, defineEventDetector, type KeySubject } from '../contract.ts';
import { circumstances, keyKnowledge } from '../organization.ts';
import { policyChanges } from '../policy-change.ts';
import { readPolicy, verdictOn, writePolicy } from '../policy-setting.ts';
import { SETTLED_AFTER } from '../settled.ts';
import { strangersAmong } from '../strangers.ts';
import { callerFirst, deed, eventMatch, gone, isAws, keyName, moment, span } from '../wording.ts';

const SHOWN = 8;

/** PutKeyPolicy: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html */
export default defineEventDetector({
  id: 'key-policy-changed',
  title: 'The policy of a KMS key was changed',
  severity: 'low',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: ['kms:PutKeyPolicy'],
  params: z.strictObject({}),
  techniques: ['T1098'],
  blindSpots: [
    'What the policy was before the records begin.',
    'A policy that CloudTrail left out of the record because of its size.',
    'What IAM policies of the account make of it.',
  ],
  falsePositives: ['Everyday changes by infrastructure as code.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, before }, subject, context) {
    if (event.operation !== 'PutKeyPolicy' || isAws(event.actor)) return null;
    const change = policyChanges(subject).get(event);
    if (change?.verdict === 'same' || change?.verdict === 'restored') return null;
    const after = event.detail?.policyOmitted === true ? null : (event.detail?.policy ?? null);
    const old = policyInForce(before, subject.arn);
    const difference = policyDifference(old, after);
    const administrators = policyAdministrators(after, subject.account);
    const known = old !== null && after !== null;
    if (known && difference.sentences.length === 0) return null;
    const beside = otherFinding(event, subject, context);
    const { criticality, owner } = keyKnowledge(context.organization, subject);
    return eventMatch(event, {
      severity: severityOf(difference, administrators, beside),
      ...(administrators.verdict === 'nobody' ? { title: 'The policy of a KMS key leaves nobody who can change it' } : {}),
      explanation: {
        what: `${callerFirst(event)} replaced the policy of ${keyName(subject)} on ${moment(event.eventTime)}. ${told(difference, known)}`,
        why: `The key policy decides who may use the key and who may change that. ${lockout(administrators)}${beside === null ? '' : ` See also the finding of ${beside} on the same call.`}`,
        benign: 'The change was asked for, and the sentences above are what was meant.',
        now: [
          'Compare the difference with the change request.',
          `Read the policy in force: ${readPolicy(subject)}`,
          `If it is not what was meant, put the earlier one back: ${writePolicy(subject)}`,
        ],
      },
      details: {
        difference: difference.sentences.slice(0, SHOWN),
        gained: difference.gained.map(short).slice(0, SHOWN),
        loosened: difference.loosened.map(short).slice(0, SHOWN),
        lost: difference.lost.map(short).slice(0, SHOWN),
        tightened: difference.tightened.map(short).slice(0, SHOWN),
        earlier_policy_known: old !== null,
        administrators: administrators.verdict,
        also_found_by: beside,
        criticality,
        owner,
        ...circumstances(context.organization, event),
      },
    });
  },

  mends({ event }, subject) {
    return policyChanges(subject).get(event)?.verdict === 'restored' ? `The earlier policy was put back: ${deed(event)}.` : gone(event);
  },

  /** What has stood for as long as a policy takes to count as the settled one asks for nobody's attention any more. */
  standing(match, _subject, context) {
    const settled = match.at + SETTLED_AFTER;
    if (context.asOf < settled || match.severity === 'high') return match;
    return { ...match, resolved: { at: settled, reason: `The policy has stood for ${span(0, SETTLED_AFTER)}.` } };
  },
});

/** The id of the detector that tells the worse of the same call. */
function otherFinding(event: StoredEvent, subject: KeySubject, { organization }: Context<unknown>): string | null {
  const verdict = verdictOn(event, subject);
  if (verdict?.verdict === 'public' || verdict?.verdict === 'unknown') return 'key-policy-public';
  const external = verdict !== null && strangersAmong(organization, verdict, subject.account) !== null;
  return external ? 'key-policy-external-account' : null;
}

/** Who is open to the world is told elsewhere. What is left: nobody can manage the key, or somebody new can. */
function severityOf(difference: PolicyDifference, administrators: PolicyAdministrators, beside: string | null): Severity {
  if (administrators.verdict === 'nobody') return 'high';
  const wider = [...difference.gained, ...difference.loosened];
  return beside === null && wider.some(({ operations }) => operations.includes('PutKeyPolicy')) ? 'medium' : 'low';
}

function told(difference: PolicyDifference, known: boolean): string {
  if (!known) return `What changed is not known. ${difference.undecided.slice(0, 3).join(' ')}`;
  const rest = difference.sentences.length - SHOWN;
  return `${difference.sentences.slice(0, SHOWN).join(' ')}${rest > 0 ? ` And ${rest} more changes.` : ''}`;
}

function lockout({ verdict, reasons, limited }: PolicyAdministrators): string {
  if (verdict === 'nobody') return `${reasons.join(' ')} Nobody but AWS Support can change it again.`;
  return `${reasons.join(' ')}${limited && verdict !== 'unknown' ? ' All of that only under conditions.' : ''}`;
}

function short({ principal, operations, limits }: PolicyDifference['gained'][number]) {
  return { principal, operations, limits };
}
