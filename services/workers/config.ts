/** The whole configuration, composed from the components' own schemas. The example file and the reference are generated from it. */
import { z } from 'zod';
import { detectorsConfigSchema } from '../detectors/configure.ts';
import { DETECTORS } from '../detectors/registry.ts';
import { platformShape } from '../platform/config/base.ts';
import { networksSchema } from '../platform/networks.ts';
import { inventorySchema } from '../sources/inventory/config.ts';
import { LIVE_SOURCES } from '../sources/registry.ts';
import { integritySchema } from './integrity/config.ts';
import { alertingSchema } from './notify-config.ts';
import { organizationSchema } from './organization-config.ts';

export const configSchema = z.strictObject({
  ...platformShape,
  organization: organizationSchema,
  networks: networksSchema,
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
      concurrency: z.int().min(1).max(64).default(3).meta({ description: 'Deliveries that one process ingests at a time.' }),
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
  inventory: inventorySchema.optional().meta({
    description:
      'Reads from KMS itself which keys there are and how they stand, account by account. Off when left out. See docs/inventory.md.',
  }),
  api: z
    .strictObject({
      authentication: z.enum(['off', 'token']).default('off').meta({
        description:
          'off: only on a loopback address, where everybody is an admin. token: callers need one, see "kmswatch token create"; /healthz, /readyz and /metrics stay open.',
      }),
      requests_per_minute: z.int().min(0).max(10_000_000).default(6_000).meta({ description: 'For each caller; 0 = no limit.' }),
      oidc: z
        .strictObject({
          issuer: z.url().meta({ description: 'Issuer of the tokens (`iss`).' }),
          audience: z.string().min(1).meta({ description: 'Audience that they must name (`aud`).' }),
          jwks_url: z.url().meta({ description: "URL of the issuer's keys." }),
          scope_claim: z
            .string()
            .min(1)
            .default('scope')
            .meta({ description: 'Claim that holds viewer, responder or admin, alone or after kmswatch:.' }),
        })
        .optional()
        .meta({ description: 'Also take bearer tokens of an OpenID Connect provider.' }),
    })
    .prefault({})
    .meta({ description: 'The HTTP API. See docs/api.md.' }),
  sigma: z
    .strictObject({
      folder: z
        .string()
        .min(1)
        .optional()
        .meta({
          description: 'Folder of Sigma rules for product aws, service cloudtrail; read again when files change.',
          examples: ['./rules'],
        }),
    })
    .prefault({})
    .meta({ description: 'Rules of your own. See docs/sigma.md.' }),
  integrity: integritySchema.optional(),
  external_url: z
    .string()
    .regex(/^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/, 'must be a URL as in https://kmswatch.example.com')
    .optional()
    .meta({
      description: 'Where people reach this service, for links in notifications. Default: where it listens, if that is one address.',
      examples: ['https://kmswatch.example.com'],
    }),
  runbooks_url: z
    .string()
    .regex(/^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/, 'must be a URL as in https://wiki.example.com/runbooks')
    .optional()
    .meta({
      description: 'Where docs/runbooks is published, for links in notifications: the id of the detector and .md are added.',
      examples: ['https://git.example.com/kmswatch/docs/runbooks'],
    }),
  alerting: alertingSchema,
  detectors: detectorsConfigSchema(DETECTORS).meta({ description: 'Settings of each detector, by its id.' }),
});

export type Config = z.output<typeof configSchema>;
