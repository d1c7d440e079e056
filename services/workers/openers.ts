/** How the deliveries of the configured sources are opened: with the credentials that their settings name. */
import type { Clock } from '../core/clock.ts';
import { createAws } from '../platform/aws.ts';
import type { Opener, Openers } from '../sources/registry.ts';
import { bucketAccess } from './bucket-access.ts';
import type { Config } from './config.ts';
import { VERSION } from './version.ts';

export function openersFor(config: Config, clock: Clock): Openers {
  return { 's3-trail': s3TrailOpener(config, clock) };
}

/** The client takes long to load, and is needed when the first delivery comes. */
function s3TrailOpener(config: Config, clock: Clock): Opener {
  let opener: Promise<Opener> | null = null;
  const load = async (): Promise<Opener> => {
    const { createS3TrailOpener } = await import('../sources/s3-trail/source.ts');
    return createS3TrailOpener(config.sources.s3_trail ?? null, createAws({ clock, version: VERSION }), bucketAccess(config));
  };
  return async (locator, limits) => {
    opener ??= load();
    return (await opener)(locator, limits);
  };
}
