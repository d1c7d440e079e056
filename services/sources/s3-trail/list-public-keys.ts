import { CloudTrailClient, ListPublicKeysCommand } from '@aws-sdk/client-cloudtrail';
import { KmswatchError } from '../../core/errors.ts';
import { type Aws, type AwsPlace, awsFailure } from '../../platform/aws.ts';
import { sleep } from '../../platform/clock.ts';

/** A public key of CloudTrail, of one Region. */
export interface ListedKey {
  readonly fingerprint: string;
  /** DER, PKCS #1 or SPKI. */
  readonly der: Buffer;
  /** Epoch milliseconds. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
}

const ATTEMPTS = 5;
const PAUSE_MS = 300;
const MOST_PAGES = 100;

/**
 * The keys that digests of a Region were signed with in a time. They must be asked for in that Region:
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
 *
 * @throws KmswatchError SOURCE_UNREADABLE when they cannot be had
 */
export async function listPublicKeys(
  aws: Aws,
  place: AwsPlace,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<ListedKey[]> {
  const keys: ListedKey[] = [];
  let token: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const input = { StartTime: new Date(from), EndTime: new Date(to), ...(token !== undefined && { NextToken: token }) };
    const { PublicKeyList: list = [], NextToken } = await ask(aws, place, input);
    for (const { Fingerprint: fingerprint, Value: value, ValidityStartTime, ValidityEndTime } of list) {
      if (fingerprint === undefined || value === undefined) continue;
      keys.push({
        fingerprint: fingerprint.toLowerCase(),
        der: Buffer.from(value),
        validFrom: ValidityStartTime?.getTime() ?? null,
        validTo: ValidityEndTime?.getTime() ?? null,
      });
    }
    token = NextToken;
    if (token === undefined) break;
  }
  return keys;
}

async function ask(aws: Aws, place: AwsPlace, input: ListPublicKeysCommand['input']): ReturnType<typeof send> {
  for (let tries = 1; ; tries += 1) {
    const client = new CloudTrailClient(aws.settings(place));
    try {
      return await send(client, input);
    } catch (cause) {
      const failure = awsFailure(cause);
      if (failure.reason === 'credentials-expired') aws.forget(place);
      if (!failure.retryable || tries >= ATTEMPTS) {
        const message = `CloudTrail's public keys in ${place.region} could not be listed: ${failure.code}: ${failure.message}`;
        throw new KmswatchError('SOURCE_UNREADABLE', message.slice(0, 600), { hint: 'The role needs cloudtrail:ListPublicKeys.', cause });
      }
    } finally {
      client.destroy();
    }
    await sleep(PAUSE_MS * 2 ** (tries - 1));
  }
}

function send(client: CloudTrailClient, input: ListPublicKeysCommand['input']) {
  return client.send(new ListPublicKeysCommand(input));
}
