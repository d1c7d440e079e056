import { z } from 'zod';
import { granteeOf } from '../../keys/grantee.ts';
import type { Grant } from '../../keys/grants.ts';
import { type Context, defineEventDetector, type KeySubject } from '../contract.ts';
import { endsLast, GRANT_EVENTS, goneWithKey, grantAt, granteeKey } from '../grant-book.ts';
import { circumstances } from '../organization.ts';
import { strangersAmong, strangerText } from '../strangers.ts';
import { callerFirst, deed, eventMatch, keyArguments, keyName, listed, moment, plain } from '../wording.ts';

/** Grants: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html */
export default defineEventDetector({
  id: 'grant-to-external-account',
  title: 'A grant lets a foreign account use a KMS key',
  severity: 'high',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: GRANT_EVENTS,
  params: z.strictObject({}),
  techniques: ['T1098', 'T1537'],
  blindSpots: [
    'Grants that an AWS service makes on behalf of a caller: they are not looked at one by one.',
    'A grantee that the record names by a unique id or a service name only.',
    'A grant that an AWS service retires stays open here.',
  ],
  falsePositives: ['An account of the organization or a partner that the configuration does not name.'],

  dedupKey: (event, subject) => [subject.arn, granteeKey(event, subject)],

  evaluate({ event }, subject, context) {
    if (event.operation !== 'CreateGrant') return null;
    const grant = grantAt(event, subject);
    const strangers = grant === null ? null : strangersOf(grant, subject, context);
    if (grant === null || strangers === null) return null;
    const operations = grant.operations === null ? 'operations that the record does not name' : listed(grant.operations, 8);
    const role =
      accountOf(grant.grantee) !== null && strangers.accounts.includes(accountOf(grant.grantee) ?? '') ? 'use' : 'retire grants of';
    return eventMatch(event, {
      severity: strangers.severity,
      explanation: {
        what: `${callerFirst(event)} gave a grant on ${keyName(subject)} on ${moment(event.eventTime)} that lets ${strangerText(strangers)} ${role} it: grantee ${plain(grant.grantee ?? 'not named', 200)}, ${operations}.`,
        why: `${strangers.known} A grant gives access beside the key policy and is not seen in it; ${constraintText(grant)} Expected is that grants go to principals of our own accounts.`,
        benign: 'The account belongs to the organization, or to a partner that is meant to have access.',
        now: [
          'Find out whose account that is, and who asked for the access.',
          `Look at the grants of the key: aws kms list-grants ${keyArguments(subject)}`,
          `Take it back: aws kms revoke-grant ${keyArguments(subject)} --grant-id ${grantArgument(grant)}`,
          'Look for calls by that account since then.',
        ],
      },
      details: {
        grant_id: grant.grantId,
        grantee: grant.grantee,
        retiring_principal: grant.retiring,
        operations: grant.operations,
        constraints: grant.constraints,
        foreign_accounts: strangers.accounts,
        can_be_handed_on: grant.operations?.includes('CreateGrant') ?? null,
        ...circumstances(context.organization, event),
      },
    });
  },

  mends({ event }, subject, context) {
    const last = endsLast(event, subject, (grant) => strangersOf(grant, subject, context) !== null);
    return last ? `The last such grant to this grantee was taken back: ${deed(event)}.` : null;
  },

  standing(match, subject) {
    const end = goneWithKey(subject);
    return end === null ? match : { ...match, resolved: end };
  },
});

function strangersOf({ grantee, retiring }: Grant, subject: KeySubject, { organization }: Context<unknown>) {
  const accounts = [grantee, retiring].flatMap((name) => accountOf(name) ?? []);
  return strangersAmong(organization, { accounts }, subject.account);
}

/** A grantee may be everyone of no account: then a service, or a principal that is gone. */
function accountOf(name: string | null): string | null {
  return name === null ? null : granteeOf(name).account;
}

function constraintText({ constraints }: Grant): string {
  return constraints.every((constraint) => constraint === 'none')
    ? 'this one is not limited to any encryption context.'
    : `this one is limited (${listed(constraints)}).`;
}

function grantArgument({ grantId }: Grant): string {
  return /^[A-Za-z0-9-]{1,128}$/.test(grantId) ? grantId : 'GRANT_ID';
}
