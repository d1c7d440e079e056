import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import type { Habit } from '../../core/habit.ts';
import { earliest, habitEvidence, latest, learnedSince, settled, totalCount } from '../baseline.ts';
import { defineWindowDetector, type KeySubject, type Organization } from '../contract.ts';
import { actorName, argument, count, iso, keyArguments, keyName, listed, moment, plain, span } from '../wording.ts';

interface Params {
  readonly learningDays: number;
  readonly memoryDays: number;
}

/**
 * A call from another account is logged twice, in the caller's account and in the key's, under one `sharedEventID`
 * (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html). Where both logs are
 * ingested, both records count for the key; they are told apart by the account that logged them, and one finding speaks of both.
 */
export default defineWindowDetector<Params, 'key'>({
  id: 'cross-account-first-use',
  title: 'Another AWS account used a KMS key for the first time',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({
    learningDays: z.int().min(1).max(365).default(14),
    memoryDays: z.int().min(15).max(730).default(90),
  }),
  techniques: ['T1537', 'T1199'],
  blindSpots: [
    'First use within the learning days of a key: every account is then taken as known.',
    'Accounts of the organization that the configuration does not name count as foreign.',
    'Keys of accounts whose log is not ingested.',
  ],
  falsePositives: ['A partner or a new account of the organization that was given access on purpose.'],

  evaluate(subject, { params, organization, asOf }) {
    if (!isOurs(subject, organization)) return [];
    const habits = (subject.habits ?? []).filter(({ profile }) => profile.operationClass === 'use');
    const foreign = Map.groupBy(
      habits.filter(({ actor }) => isForeign(actor.account, subject, organization)),
      ({ actor }) => actor.account ?? '',
    );
    const memory = params.memoryDays * DAY;
    return [...foreign].flatMap(([account, own]) => {
      const at = earliest(own);
      const begin = learnedSince(habits, at, memory);
      if (at < begin + params.learningDays * DAY) return [];
      const known = new Set(habits.flatMap(({ actor, firstAt }) => (firstAt < at && actor.account !== null ? [actor.account] : [])));
      const callers = [...new Set(own.map(({ actor }) => actorName(actor)))].sort();
      const logged = calls(own, subject.account);
      return [
        {
          dedupKey: [subject.arn, account],
          at,
          until: latest(own),
          occurrences: logged.count,
          actor: own[0]?.actor.id ?? null,
          evidence: habitEvidence(own),
          explanation: {
            what: `Account ${plain(account, 32)} made its first successful cryptographic call under ${keyName(subject)} on ${moment(at)}, as ${listed(callers, 3)}. Up to now the records show ${count(logged.count, 'call')} of it${logged.both ? ', logged in both accounts and counted once' : ''}.`,
            why: `The key belongs to account ${plain(subject.account, 32)}, and its use had been on record for ${span(begin, at)}. Accounts that had used it by then: ${known.size}. Observed: 1 new account; expected: none.`,
            benign: 'A partner, or a new account of the organization, was given access on purpose.',
            now: [
              'Ask the owner of the key whether that account should use it.',
              `See what lets it in: aws kms get-key-policy ${keyArguments(subject)} --policy-name default --output text; aws kms list-grants ${keyArguments(subject)}`,
              `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
              'If it should not: take the account out of the policy or revoke the grant, and find out what was decrypted. If it is yours: name it under organization.accounts.',
            ],
          },
          details: {
            foreign_account: account,
            known_accounts: known.size,
            calls: logged.count,
            logged_by_owner: logged.owner,
            logged_by_caller: logged.caller,
            operations: [...new Set(own.map(({ profile }) => plain(profile.operation, 64)))].sort().slice(0, 20),
          },
          ...settled(at, asOf, {
            days: params.memoryDays,
            reason: `The first use is ${params.memoryDays} days old: the account now counts as known to the key.`,
          }),
        },
      ];
    });
  },
});

/** Configured, or its own log tells of it. */
function isOurs({ account, habits = [], timeline }: KeySubject, { ownAccounts }: Organization): boolean {
  if (ownAccounts.size > 0) return ownAccounts.has(account);
  return timeline.some(({ event }) => event.account === account) || habits.some(({ profile }) => profile.account === account);
}

function isForeign(account: string | null, subject: KeySubject, { ownAccounts }: Organization): boolean {
  return account !== null && account !== subject.account && !ownAccounts.has(account);
}

/** Both accounts log each call: the longer of the two tellings is the number. */
function calls(habits: readonly Habit[], owner: string): { count: number; owner: number; caller: number; both: boolean } {
  const byOwner = totalCount(habits.filter(({ profile }) => profile.account === owner));
  const byCaller = totalCount(habits) - byOwner;
  return { count: Math.max(byOwner, byCaller), owner: byOwner, caller: byCaller, both: byOwner > 0 && byCaller > 0 };
}
