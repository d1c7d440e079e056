/** The whole configuration, composed from the components' own schemas. The example file and the reference are generated from it. */
import { z } from 'zod';
import { detectorsConfigSchema } from '../detectors/configure.ts';
import { DETECTORS } from '../detectors/registry.ts';
import { platformShape } from '../platform/config/base.ts';
import { LIVE_SOURCES } from '../sources/registry.ts';

const account = z.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account number');
const keyArn = z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/\S+$/, 'must be the ARN of a KMS key');

export const configSchema = z.strictObject({
  ...platformShape,
  organization: z
    .strictObject({
      accounts: z
        .array(account)
        .default([])
        .meta({ description: 'AWS accounts that are ours.', examples: [['111122223333']] }),
      log_keys: z
        .array(keyArn)
        .default([])
        .meta({ description: 'KMS keys that encrypt CloudTrail logs or their buckets, besides those that events show.' }),
    })
    .prefault({})
    .meta({ description: 'What kmswatch should know about the organization.' }),
  rotation: z
    .strictObject({
      max_age_days: z.int().min(90).max(2560).default(365).meta({ description: 'Key material older than this counts as overdue, days.' }),
      grace_days: z.int().min(0).max(365).default(7).meta({ description: 'Days after that until it counts.' }),
    })
    .prefault({})
    .meta({
      description: 'By which age the standing of a key is counted in metrics and lists. The detectors have parameters of their own.',
    }),
  ingest: z
    .strictObject({
      in_flight: z.int().min(1).max(1000).default(16).meta({ description: 'Deliveries that a source may have open at a time.' }),
      concurrency: z.int().min(1).max(64).default(2).meta({ description: 'Deliveries that one process ingests at a time.' }),
    })
    .prefault({})
    .meta({ description: 'How much is worked on at once.' }),
  sources: z
    .strictObject({
      lookup_events: LIVE_SOURCES.lookup_events.schema.optional().meta({
        description:
          "CloudTrail's event history, polled account by account: no trail, queue or bucket needed. See docs/connect-one-account.md.",
      }),
      s3_trail: LIVE_SOURCES.s3_trail.schema.optional(),
      eventbridge: LIVE_SOURCES.eventbridge.schema.optional(),
    })
    .prefault({})
    .meta({ description: 'Where records come from while the service runs. A source whose section is left out is off.' }),
  detectors: detectorsConfigSchema(DETECTORS).meta({ description: 'Settings of each detector, by its id.' }),
});

export type Config = z.output<typeof configSchema>;
