import { z } from 'zod';
import { queueShape } from '../sqs-config.ts';

const region = z.string().regex(/^[a-z]{2,8}(-[a-z]{1,16}){1,4}-\d{1,2}$/, 'must be an AWS Region, as in eu-west-1');

/** Where a trail delivers its log files and digests, and with whose credentials they are read. */
export const trailBucketSchema = z.strictObject({
  bucket: z.string().min(3).max(255).meta({ description: "The trail's bucket." }),
  bucket_region: region.meta({ description: "The bucket's Region." }),
  prefix: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^/]/, 'must not begin with a slash')
    .optional()
    .meta({ description: 'What stands before AWSLogs/ in the keys.' }),
  organization_id: z
    .string()
    .regex(/^o-[a-z0-9]{10,32}$/, 'must be the id of an organization, as in o-exampleorgid')
    .optional()
    .meta({ description: 'Of an organization trail; without it, organizations are looked for in the bucket.' }),
  accounts: z
    .array(z.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account number'))
    .min(1)
    .max(10_000)
    .optional()
    .meta({ description: 'Accounts to look at; without it, all that are in the bucket.' }),
  regions: z.array(region).min(1).max(64).optional().meta({ description: 'Regions to look at; without it, all that are in the bucket.' }),
  role_arn: queueShape.role_arn.meta({ description: "Role to assume. Without it the process's own credentials are used." }),
  external_id: queueShape.external_id,
});

export type TrailBucketSettings = z.output<typeof trailBucketSchema>;
