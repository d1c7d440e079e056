import { z } from 'zod';
import { granteeOf } from '../../keys/grantee.ts';
import type { Grant } from '../../keys/grants.ts';
import { defineEventDetector, type KeySubject, type Organization } from '../contract.ts';
import { endsLast, GRANT_EVENTS, goneWithKey, grantAt, granteeKey } from '../grant-book.ts';
import { circumstances } from '../organization.ts';
import { strangersAmong } from '../strangers.ts';
import { callerFirst, deed, eventMatch, keyArguments, keyName, listed, moment, plain } from '../wording.ts';

/** Operations that turn what was encrypted into plain text, or into what the grantee can decrypt. */
const DECRYPTS = new Set(['Decrypt', 'ReEncryptFrom', 'DeriveSharedSecret', 'Decapsulate']);

/** Least privilege in grants: https://docs.aws.amazon.com/kms/latest/developerguide/grant-best-practices.html */
export default defineEventDetector({
  id: 'grant-overbroad',
  title: 'A grant on a KMS key gives more than is usual',
  severity: 'medium',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: GRANT_EVENTS,
  params: z.strictObject({}),
  techniques: ['T1098'],
  blindSpots: [
    'Grants that an AWS service makes on behalf of a caller.',
    'Records without the operations of the grant.',
    'A grant that an AWS service retires stays open here.',
  ],
  falsePositives: ['Programs of our own that hand out grants without an encryption context.'],

  dedupKey: (event, subject) => [subject.arn, granteeKey(event, subject)],

  evaluate({ event }, subject, { organization }) {
    if (event.operation !== 'CreateGrant') return null;
    const grant = grantAt(event, subject);
    const breadth = grant === null ? [] : breadthOf(grant, subject, organization);
    if (grant === null || breadth.length === 0) return null;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} gave ${plain(grant.grantee ?? 'a grantee that is not named', 200)} a grant on ${keyName(subject)} on ${moment(event.eventTime)}: ${listed(grant.operations ?? [], 8)}.`,
        why: `${breadth.join(' ')} Expected are grants for what one resource needs, limited to its encryption context.`,
        benign: 'The program is built to hand out such grants, and its role is guarded accordingly.',
        now: [
          `Look at the grants of the key: aws kms list-grants ${keyArguments(subject)}`,
          `Take it back if nobody needs it: aws kms revoke-grant ${keyArguments(subject)} --grant-id ${/^[A-Za-z0-9-]{1,128}$/.test(grant.grantId) ? grant.grantId : 'GRANT_ID'}`,
          'Have it given again with an encryption context, and without CreateGrant among the operations.',
        ],
      },
      details: {
        grant_id: grant.grantId,
        grantee: grant.grantee,
        operations: grant.operations,
        constraints: grant.constraints,
        can_be_handed_on: grant.operations?.includes('CreateGrant') ?? null,
        ...circumstances(organization, event),
      },
    });
  },

  mends({ event }, subject, { organization }) {
    const last = endsLast(event, subject, (grant) => breadthOf(grant, subject, organization).length > 0);
    return last ? `The last such grant to this grantee was taken back: ${deed(event)}.` : null;
  },

  standing(match, subject) {
    const end = goneWithKey(subject);
    return end === null ? match : { ...match, resolved: end };
  },
});

/** Sentences on what makes it broad; none for a grant to strangers, of which grant-to-external-account tells. */
function breadthOf(grant: Grant, subject: KeySubject, organization: Organization): string[] {
  const operations = grant.operations ?? [];
  const accounts = [grant.grantee, grant.retiring].flatMap((name) => {
    return name === null ? [] : (granteeOf(name).account ?? []);
  });
  if (strangersAmong(organization, { accounts }, subject.account) !== null) return [];
  const unlimited = grant.constraints.every((constraint) => constraint === 'none');
  const decrypting = operations.filter((operation) => DECRYPTS.has(operation));
  const toService = granteeOf(grant.grantee).service !== null;
  return [
    ...(operations.includes('CreateGrant') ? ['With CreateGrant among the operations the grantee can hand its access on to anyone.'] : []),
    ...(unlimited && decrypting.length > 0 && !toService
      ? [`It is limited to no encryption context, so it is good for ${listed(decrypting)} of everything under the key.`]
      : []),
  ];
}
