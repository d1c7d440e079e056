import type { JsonObject } from '../core/json.ts';
import { datePath, fileStamp } from './instants.ts';
import { Random } from './random.ts';

/** One CloudTrail log file before it is compressed: `{"Records": records}` under `key`. */
export interface LogFile {
  /** Object key in the S3 layout, `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/…json.gz`. */
  readonly key: string;
  /** When it was delivered, epoch milliseconds. */
  readonly time: number;
  readonly records: JsonObject[];
  /** Written before the simulated month began: earlier life of the keys. */
  readonly history: boolean;
}

const NAME_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html#cloudtrail-log-filename-format */
export function logFileKey(seed: string, file: { account: string; region: string; time: number }): string {
  const { account, region, time } = file;
  const unique = new Random(`${seed}/file/${account}/${region}/${time}`).text(16, NAME_ALPHABET);
  return `AWSLogs/${account}/CloudTrail/${region}/${datePath(time)}/${account}_CloudTrail_${region}_${fileStamp(time)}_${unique}.json.gz`;
}
