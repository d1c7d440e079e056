import { AGENTS, via, workload } from '../callers.ts';
import { ACCOUNTS, REGIONS } from '../keyring.ts';
import { decrypt, generateDataKey } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import type { Stream } from '../stream.ts';
import { customers } from '../stream.ts';
import type { World } from '../world.ts';
import { habit } from './habit.ts';

const PROD = ACCOUNTS.prod;

/** The online shop in its two Regions: secrets, parameters and product media. */
export function shopStreams(world: World): Stream[] {
  return [...regionStreams(world, REGIONS.US), ...regionStreams(world, REGIONS.EU)];
}

function regionStreams(world: World, region: string): Stream[] {
  const us = region === REGIONS.US;
  const rhythm = customers(us ? OFFSETS.austin : OFFSETS.berlin);
  const prefix = us ? 'shop' : 'eu-shop';
  const api = { account: PROD, name: `${prefix}-api`, agent: AGENTS.java };
  const secrets = world.key(us ? 'prod-secrets' : 'eu-secrets');
  const media = world.key(us ? 'prod-media' : 'eu-media');
  const ssm = world.key(us ? 'prod-aws-ssm' : 'eu-aws-ssm');
  const share = us ? 1 : 0.55;
  const secret = (pick: number): Record<string, string> => {
    const name = ['orders-db', 'payments-api', 'search-index', 'mailer'][pick % 4] ?? 'orders-db';
    return {
      SecretARN: `arn:aws:secretsmanager:${region}:${PROD}:secret:${prefix}/${name}-${world.stableHex(6, `${region}/${name}`)}`,
      SecretVersionId: world.stableHex(32, `${region}/${name}/version`),
    };
  };
  const bucket = { 'aws:s3:arn': `arn:aws:s3:::larkspur-${us ? '' : 'eu-'}media` };
  const parameter = (pick: number): Record<string, string> => ({
    PARAMETER_ARN: `arn:aws:ssm:${region}:${PROD}:parameter/${prefix}/${['feature', 'payment', 'shipping', 'tax'][pick % 4]}/config`,
  });
  return [
    habit({
      name: `${prefix}/secrets`,
      perDay: 68 * share,
      rhythm,
      key: secrets,
      caller: (time) => via(workload(world, api, time), 'secretsmanager.amazonaws.com'),
      call: (time, pick) => decrypt(secrets, { context: secret(pick), time }),
    }),
    habit({
      name: `${prefix}/media-write`,
      perDay: 14 * share,
      rhythm,
      key: media,
      caller: (time) => via(workload(world, { account: PROD, name: `${prefix}-media` }, time), 's3.amazonaws.com'),
      call: (time) => generateDataKey(media, { context: bucket, time }),
    }),
    habit({
      name: `${prefix}/media-read`,
      perDay: 50 * share,
      rhythm,
      key: media,
      caller: (time) => via(workload(world, { account: PROD, name: `${prefix}-media` }, time), 's3.amazonaws.com'),
      call: (time) => decrypt(media, { context: bucket, time }),
    }),
    habit({
      name: `${prefix}/parameters`,
      perDay: 20 * share,
      rhythm,
      key: ssm,
      caller: (time) => via(workload(world, { account: PROD, name: `${prefix}-worker` }, time), 'AWS Internal'),
      call: (time, pick) => decrypt(ssm, { context: parameter(pick), time }),
    }),
  ];
}
