import { z } from 'zod';
import { LISTEN_ADDRESS } from '../http/listen.ts';
import { LOG_LEVELS } from '../logger.ts';
import { secret } from '../secrets.ts';

/** The fields of the platform's own parts; composed with the components' into one strict schema. */
export const platformShape = {
  ...secret('database_url', {
    description: 'PostgreSQL 14 or newer to work on. Without it an embedded server runs in the data directory.',
    env: 'DATABASE_URL',
    example: 'postgres://kmswatch:password@db.example.com:5432/kmswatch',
  }),
  ...secret('redis_url', {
    description: 'Redis or Valkey for the queues, the way to spread over several machines. Without it the queues are in PostgreSQL.',
    env: 'REDIS_URL',
    example: 'redis://redis.example.com:6379/0',
  }),
  data_dir: z.string().min(1).default('.kmswatch').meta({
    description: 'Directory of the embedded server; created when missing.',
    env: 'KMSWATCH_DATA_DIR',
  }),
  listen: z.string().regex(LISTEN_ADDRESS, 'must be HOST:PORT, as in 127.0.0.1:8787').default('127.0.0.1:8787').meta({
    description: 'HOST:PORT of the status page, the API and the metrics.',
    env: 'KMSWATCH_LISTEN',
  }),
  log_level: z.enum(LOG_LEVELS).default('info').meta({
    description: 'Least urgent level that is logged, to standard error.',
    env: 'KMSWATCH_LOG_LEVEL',
  }),
};
