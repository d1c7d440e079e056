import { z } from 'zod';
import { trailBucketSchema } from '../../sources/s3-trail/trail-config.ts';

export const integritySchema = z
  .strictObject({
    trails: z
      .array(trailBucketSchema)
      .min(1)
      .max(100)
      .meta({
        description:
          'Buckets that trails with log file validation deliver to: each `bucket` with `bucket_region` and, where they apply, `prefix`, `organization_id`, `accounts`, `regions`, `role_arn` and `external_id`.',
        examples: [[{ bucket: 'org-cloudtrail-logs', bucket_region: 'eu-west-1' }]],
      }),
    look_back_hours: z.int().min(2).max(168).default(24).meta({
      description:
        'How much of what was checked before is looked at again each hour, for files that came late or have changed since, hours. Files are not downloaded again.',
    }),
    grace_minutes: z.int().min(15).max(720).default(60).meta({
      description: 'How late a digest may be delivered before it counts as missing, minutes.',
    }),
  })
  .superRefine(({ trails }, { addIssue }) => {
    const seen = new Set<string>();
    for (const [index, { bucket, prefix = '', organization_id: organization = '' }] of trails.entries()) {
      const name = JSON.stringify([bucket, prefix.replace(/\/*$/, ''), organization]);
      if (seen.has(name)) addIssue({ code: 'custom', path: ['trails', index, 'bucket'], message: 'is there twice, with the same prefix' });
      seen.add(name);
    }
  })
  .meta({ description: 'Validation of digests and log files in the bucket, every hour. See docs/verify.md.' });

export type IntegritySettings = z.output<typeof integritySchema>;
