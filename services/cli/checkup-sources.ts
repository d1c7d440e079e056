/** What `kmswatch doctor` asks AWS about the configured sources. It reads, and touches no message. */
import { visible } from '../api/text/visible.ts';
import { counted, number } from '../api/text/words.ts';
import type { Clock } from '../core/clock.ts';
import { type Aws, type AwsPlace, AwsFailure, awsFailure, createAws } from '../platform/aws.ts';
import type { LookupEventsConfig } from '../sources/lookup-events/config.ts';
import type { ConsumeFields, QueueFields } from '../sources/sqs-config.ts';
import type { QueueStanding } from '../sources/sqs/inspect.ts';
import type { Config } from '../workers/config.ts';
import { VERSION } from '../workers/version.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** Accounts asked at a time. */
const AT_ONCE = 8;
const NAMED = 10;
const LEAST_VISIBILITY_SECONDS = 30;

/** @yields one check for each source, and one for each of its queues */
export async function* checkSources(config: Config, clock: Clock): AsyncGenerator<Check> {
  const { lookup_events: lookupEvents, s3_trail: s3Trail, eventbridge } = config.sources;
  const aws = createAws({ clock, version: VERSION });
  if (lookupEvents) yield await checkRoles(lookupEvents, aws);
  if (s3Trail) yield* checkQueuesOf('s3-trail', s3Trail, aws);
  if (eventbridge) yield* checkQueuesOf('eventbridge', eventbridge, aws);
}

/** Whose credentials each account is read with. LookupEvents itself is not asked: its two requests a second are for those who poll. */
async function checkRoles(config: LookupEventsConfig, aws: Aws): Promise<Check> {
  const { targetsOf } = await import('../sources/lookup-events/target.ts');
  const accounts = [...Map.groupBy(targetsOf(config, ['kms']), ({ account }) => account)];
  const left = accounts.values();
  const problems: { readonly account: string; readonly text: string; readonly hint: string }[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [account, [target]] of left) {
        const problem = target && (await problemOf(account, target, aws));
        if (problem) problems.push({ account, ...problem });
      }
    }),
  );
  const what = counted(accounts.length, 'account');
  const [first] = problems;
  if (!first) return ok('lookup-events', `${what}, each can be read as itself`);
  const named = problems
    .toSorted((a, b) => (a.account < b.account ? -1 : 1))
    .slice(0, NAMED)
    .map(({ account, text }) => `${account}: ${text}`);
  const rest = problems.length - named.length;
  const list = [...named, ...(rest > 0 ? [`and ${number(rest)} more`] : [])].join('; ');
  return fail('lookup-events', `${number(problems.length)} of ${what} cannot be read: ${list}`, first.hint);
}

async function problemOf(account: string, place: AwsPlace, aws: Aws): Promise<{ readonly text: string; readonly hint: string } | null> {
  try {
    const found = await aws.accountOf(place);
    if (found === account) return null;
    return { text: `the credentials are those of account ${found}`, hint: 'Give the account a role_arn or role_name.' };
  } catch (error) {
    const failure = awsFailure(error);
    return { text: `${failure.code} ${visible(failure.message, 200)}`, hint: sentence(failure.hint) };
  }
}

async function* checkQueuesOf(
  source: 's3-trail' | 'eventbridge',
  settings: ConsumeFields & { readonly queues: readonly QueueFields[] },
  aws: Aws,
): AsyncGenerator<Check> {
  const { connectQueue, inspectQueue } = await import('../sources/sqs.ts');
  for (const fields of settings.queues) {
    const queue = connectQueue(fields, aws);
    try {
      yield queueCheck(source, queue.name, { standing: await inspectQueue(queue), settings });
    } catch (error) {
      if (!(error instanceof AwsFailure)) throw error;
      yield fail(source, `${queue.name}: ${error.code} ${visible(error.message, 200)}`, sentence(error.hint));
    } finally {
      queue.close();
    }
  }
}

/** The first thing that is wrong with a queue decides what is to be done. */
export function queueCheck(
  source: string,
  name: string,
  { standing, settings }: { readonly standing: QueueStanding; readonly settings: ConsumeFields },
): Check {
  const { ready, inFlight, deadLetters } = standing;
  const dead = deadLetters === null ? 'no dead-letter queue' : `dead-letter queue ${deadLetters.name}${amount(deadLetters.messages)}`;
  const message = `${name}: about ${counted(ready, 'message waits', 'messages wait')}, ${number(inFlight)} in hand; ${dead}`;
  if (deadLetters === null) {
    return warn(source, message, 'Give the queue a dead-letter queue (RedrivePolicy), so that a message that cannot be read is not lost.');
  }
  if (deadLetters.messages !== null && deadLetters.messages > 0) {
    return warn(source, message, 'See why they could not be read (`kmswatch quarantine list`), then move them back with a redrive of SQS.');
  }
  if (deadLetters.maxReceiveCount < settings.quarantine_after) {
    return warn(
      source,
      `${message}; it takes messages after ${deadLetters.maxReceiveCount} receives`,
      `Set maxReceiveCount to quarantine_after (${settings.quarantine_after}) at least, so that messages are kept in quarantine before they go.`,
    );
  }
  // Requests say it themselves: the queue's own timeout does not matter.
  if (settings.visibility_seconds < LEAST_VISIBILITY_SECONDS) {
    return warn(
      source,
      `${message}; hidden for ${settings.visibility_seconds} s`,
      'Set visibility_seconds to 120 or so: less is used up by one slow request.',
    );
  }
  return ok(source, message);
}

function amount(messages: number | null): string {
  return messages === null ? ' (may not be asked)' : ` with ${counted(messages, 'message')}`;
}

function sentence(hint: string): string {
  return `${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`;
}
