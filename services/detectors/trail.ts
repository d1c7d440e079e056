/** Trails as CloudTrail calls name them: by name within their home Region, or by ARN. */
import type { StoredEvent } from '../core/event.ts';
import { argument, plain } from './wording.ts';

export interface Trail {
  readonly account: string;
  /** Home Region; where a call names no ARN, the Region of the call. */
  readonly region: string;
  readonly name: string;
}

const TRAIL_ARN = /^arn:aws[a-z-]*:cloudtrail:([a-z0-9-]+):(\d{12}):trail\/(.{1,128})$/;

/** The trail that an event is about. Name and ARN of one trail give the same; a record without either gives the name `(not named)`. */
export function trailOf(event: StoredEvent): Trail {
  const named = event.detail?.trailName ?? '(not named)';
  const match = TRAIL_ARN.exec(named.slice(0, 300));
  const [, region = event.region, account = event.account, name = named] = match ?? [];
  return { account, region, name };
}

/**
 * Identity of a trail in a dedup key. It begins with the account whose events tell of it, which may be another than the trail's
 * own (a delegated administrator, an attempt from outside): findings belong to one account's events and never to two.
 */
export function trailKey(event: StoredEvent): readonly string[] {
  const { account, region, name } = trailOf(event);
  return [event.account, region, account === event.account ? name : `${account}:${name}`];
}

/** `trail main of account 111122223333 in eu-west-1`. */
export function trailText(event: StoredEvent): string {
  const { account, region, name } = trailOf(event);
  return `trail ${plain(name, 80)} of account ${plain(account, 32)} in ${plain(region, 32)}`;
}

/** `--name NAME --region REGION`; `option` for the calls that say `--trail-name`. */
export function trailArguments(event: StoredEvent, option = '--name'): string {
  const { region, name } = trailOf(event);
  return `${option} ${argument(name, 'TRAIL_NAME')} --region ${argument(region, 'REGION')}`;
}
