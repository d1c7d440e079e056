/**
 * KMS tells EventBridge of three things by events of its own, which carry no CloudTrail eventID. What is made of them has the form of the
 * CloudTrail record of the same happening, so that all that reads records reads it; its id is `eventbridge:` and the event's id. Where the
 * CloudTrail record comes too, both are kept, and `keys/pair.ts` lets the pair count once.
 * https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html
 */
import { STAND_IN_PREFIX } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';

/** `detail-type` → `eventName` of the service event in CloudTrail. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['KMS CMK Rotation', 'RotateKey'],
  ['KMS Imported Key Material Expiration', 'DeleteExpiredKeyMaterial'],
  ['KMS CMK Deletion', 'DeleteKey'],
]);

const INTERNAL = 'AWS Internal';
const ID = /^[A-Za-z0-9-]{1,128}$/;
const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z0-9-]{1,64}$/;
/** To the second, as EventBridge writes it; fractions would do no harm. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
const TEXT_LIMIT = 256;

type Raw = { readonly [field: string]: unknown };

/** @returns a record, null for an event of another type, or what is wrong with this one */
export function standInFor(event: Raw): JsonObject | string | null {
  const operation = OPERATIONS.get(String(event['detail-type']));
  if (operation === undefined) return null;
  const { id, account, region, time } = event;
  if (typeof id !== 'string' || !ID.test(id)) return 'the event of KMS has no id';
  if (typeof account !== 'string' || !ACCOUNT.test(account)) return 'the event of KMS names no account';
  if (typeof region !== 'string' || !REGION.test(region)) return 'the event of KMS names no Region';
  if (typeof time !== 'string' || !TIME.test(time)) return 'the event of KMS has no time';
  const detail = (event.detail ?? {}) as Raw;
  const arn = keyArnOf(event.resources) ?? text(detail['key-id']);
  if (arn === undefined) return 'the event of KMS names no key';
  return {
    eventVersion: '1.11',
    userIdentity: { accountId: account, invokedBy: INTERNAL },
    eventTime: time,
    eventSource: 'kms.amazonaws.com',
    eventName: operation,
    awsRegion: region,
    sourceIPAddress: INTERNAL,
    userAgent: INTERNAL,
    requestParameters: null,
    responseElements: null,
    eventID: `${STAND_IN_PREFIX}${id}`,
    readOnly: false,
    ...(arn.startsWith('arn:') && { resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }] }),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
    serviceEventDetails: {
      keyId: text(detail['key-id']) ?? arn,
      keyOrigin: text(detail['key-origin']),
      rotationType: text(detail['rotation-type']),
      previousKeyMaterialId: text(detail['previous-key-material-id']),
      currentKeyMaterialId: text(detail['current-key-material-id']),
      keyMaterialId: text(detail['key-material-id']),
    },
    // What was really delivered stays beside what was made of it.
    additionalEventData: { eventBridgeEvent: event as JsonObject },
  };
}

function keyArnOf(resources: unknown): string | undefined {
  if (!Array.isArray(resources)) return undefined;
  return resources
    .slice(0, 10)
    .find((arn): arn is string => typeof arn === 'string' && arn.length <= 2048 && /^arn:aws[a-z-]*:kms:/.test(arn));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_LIMIT ? value : undefined;
}
