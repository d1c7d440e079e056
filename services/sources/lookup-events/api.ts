import { CloudTrailClient, type Event, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { type Aws, awsFailure } from '../../platform/aws.ts';
import type { Filter } from './filter.ts';
import type { Target } from './target.ts';

export interface Question {
  readonly filter: Filter;
  /** Both inclusive, epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** Of the page before; good for the very same question only. */
  readonly token: string | null;
}

export interface Answer {
  /** Newest first, at most 50. */
  readonly events: readonly Event[];
  readonly next: string | null;
}

export interface LookupApi {
  /** One request, one answer. @throws AwsFailure */
  ask(question: Question, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
export function createLookupApi(aws: Aws, target: Target): LookupApi {
  let client: CloudTrailClient | null = null;
  return {
    async ask({ filter, start, end, token }, signal) {
      client ??= new CloudTrailClient(aws.settings(target));
      const command = new LookupEventsCommand({
        LookupAttributes: [filter.attribute],
        StartTime: new Date(start),
        EndTime: new Date(end),
        MaxResults: 50,
        ...(token !== null && { NextToken: token }),
      });
      try {
        const { Events = [], NextToken } = await client.send(command, { abortSignal: signal });
        return { events: Events, next: NextToken ?? null };
      } catch (error) {
        const failure = awsFailure(error);
        if (failure.reason === 'credentials-expired') {
          aws.forget(target);
          client.destroy();
          client = null;
        }
        throw failure;
      }
    },
    close() {
      client?.destroy();
      client = null;
    },
  };
}
