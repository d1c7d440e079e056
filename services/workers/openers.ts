/** How the deliveries of the configured sources are opened: with the credentials that their settings name. */
import type { Clock } from '../core/clock.ts';
import { createAws } from '../platform/aws.ts';
import type { Opener, Openers } from '../sources/registry.ts';
import type { S3TrailSettings } from '../sources/s3-trail/config.ts';
import type { Config } from './config.ts';
import { VERSION } from './version.ts';

export function openersFor(config: Config, clock: Clock): Openers {
  const { s3_trail: settings } = config.sources;
  return settings === undefined ? {} : { 's3-trail': s3TrailOpener(settings, clock) };
}

/** The client takes long to load, and is needed when the first delivery comes. */
function s3TrailOpener(settings: S3TrailSettings, clock: Clock): Opener {
  let opener: Promise<Opener> | null = null;
  const load = async (): Promise<Opener> => {
    const { createS3TrailOpener } = await import('../sources/s3-trail/source.ts');
    return createS3TrailOpener(settings, createAws({ clock, version: VERSION }));
  };
  return async (locator, limits) => {
    opener ??= load();
    return (await opener)(locator, limits);
  };
}
