import { isObject, type Lost, lose, type Raw, readArray, readObject } from './fields.ts';

/** The parts of a record that several readers look into, taken apart once. */
export interface Parts {
  readonly record: Raw;
  readonly identity: Raw | null;
  readonly request: Raw | null;
  readonly response: Raw | null;
  /** `serviceEventDetails`. */
  readonly service: Raw | null;
  /** `additionalEventData`. */
  readonly additional: Raw | null;
  /** ARNs of `resources[]` in the record's order, as written. */
  readonly resourceArns: readonly string[];
  readonly lost: Lost;
}

/** More resources than any KMS call names; a bound against records made to be slow. */
const RESOURCE_LIMIT = 100;

export function takeApart(record: Raw): Parts {
  const lost: Lost = [];
  return {
    record,
    identity: readObject(record.userIdentity, 'userIdentity', lost),
    request: present(record.requestParameters, 'requestParameters', lost),
    response: present(record.responseElements, 'responseElements', lost),
    service: present(record.serviceEventDetails, 'serviceEventDetails', lost),
    additional: present(record.additionalEventData, 'additionalEventData', lost),
    resourceArns: arnsOf(readArray(record.resources, 'resources', lost), lost),
    lost,
  };
}

/**
 * CloudTrail leaves out what is too large (100 KB), and according to some editions of its guide writes `omitted: true` instead.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
function present(value: unknown, path: string, lost: Lost): Raw | null {
  const object = readObject(value, path, lost);
  return object !== null && (object.omitted === true || object.omitted === 'true') ? null : object;
}

function arnsOf(resources: readonly unknown[], lost: Lost): readonly string[] {
  const arns: string[] = [];
  const count = Math.min(resources.length, RESOURCE_LIMIT);
  for (let index = 0; index < count; index++) {
    const resource = resources[index];
    if (!isObject(resource)) {
      lose('resources[]', lost);
      continue;
    }
    const arn = resource.ARN ?? resource.arn;
    if (typeof arn === 'string') arns.push(arn);
    else if (arn !== undefined && arn !== null) lose('resources[].ARN', lost);
  }
  return arns;
}
