import { DEFAULT_LIMITS } from '../limits.ts';
import type { LiveSource } from '../live.ts';
import { type S3TrailSettings, s3TrailSchema } from './config.ts';

/** Log files of trails, as queues tell of them: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html */
export const s3Trail: LiveSource<S3TrailSettings> = {
  name: 's3-trail',
  schema: s3TrailSchema,
  async create(settings, context) {
    // The clients take long to load, and most commands need none.
    const [{ createS3TrailSource }, { tellQueueEvents }] = await Promise.all([import('./source.ts'), import('../sqs.ts')]);
    const { aws, keepDigest } = context;
    return createS3TrailSource(settings, { aws, limits: DEFAULT_LIMITS, onEvent: tellQueueEvents('s3-trail', context), keepDigest });
  },
};
