import { SQSClient } from '@aws-sdk/client-sqs';
import { type Aws, type AwsPlace, awsFailure } from '../../platform/aws.ts';
import { type QueueFields, queueName, regionOf } from '../sqs-config.ts';

/** A queue and a client that may use it. */
export interface QueueConnection {
  /** `ACCOUNT/NAME@REGION`. */
  readonly name: string;
  readonly url: string;
  /** Asked for anew before each call, because credentials that ran out mean another client. */
  readonly client: Pick<SQSClient, 'send'>;
  /** Told of every call that failed. @returns what is wrong, for a log */
  failed(error: unknown): string;
  close(): void;
}

/** A long poll of 20 s, and the answer's way. */
const ANSWER_TIMEOUT_MS = 30_000;

export function connectQueue(fields: QueueFields, aws: Aws): QueueConnection {
  const place = placeOf(fields);
  const connect = (): SQSClient => new SQSClient(aws.settings(place, ANSWER_TIMEOUT_MS));
  let client: SQSClient | null = null;
  const drop = (): void => {
    client?.destroy();
    client = null;
  };
  return {
    name: queueName(fields),
    url: fields.url,
    get client() {
      client ??= connect();
      return client;
    },
    failed(error) {
      const failure = awsFailure(error);
      // A client keeps the credentials that it was given for as long as they said that they are good.
      if (failure.reason === 'credentials-expired') {
        aws.forget(place);
        drop();
      }
      return `${failure.code}: ${failure.message}`.slice(0, 500);
    },
    close: drop,
  };
}

/** On whose behalf and where a queue is read. */
export function placeOf(fields: QueueFields): AwsPlace {
  const { role_arn: arn, external_id: externalId } = fields;
  return { region: regionOf(fields) ?? '', role: arn === undefined ? null : { arn, externalId: externalId ?? null } };
}
