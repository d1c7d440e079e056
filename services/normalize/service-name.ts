import { TextCache } from './cache.ts';

/** What stands for AWS itself where no service is named. */
export const AWS_INTERNAL = 'aws-internal';

const INTERNAL = /^(?:&?AWS;? Internal(?:\/[\w.#*-]{0,20})?|internal\.amazonaws\.com)$/i;
const DNS_NAME = /^([a-z0-9][a-z0-9.-]{0,100})\.(?:amazonaws\.com(?:\.cn)?|api\.aws|aws\.amazon\.com)$/i;
const REGION = /^[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/;

/**
 * Short name of the AWS service in a service principal or DNS name, without its Region: `dynamodb.us-west-2.amazonaws.com` is
 * `dynamodb`. `aws-internal` for `AWS Internal` in all its spellings; null for anything else (addresses, client strings).
 */
export function serviceName(text: string): string | null {
  const known = NAMES.get(text);
  if (known !== undefined) return known;
  return NAMES.keep(text, parse(text));
}

const NAMES = new TextCache<string | null>(1024);

function parse(text: string): string | null {
  if (text.length > 128) return null;
  if (INTERNAL.test(text)) return AWS_INTERNAL;
  const match = DNS_NAME.exec(text);
  if (!match?.[1]) return null;
  const labels = match[1].toLowerCase().split('.');
  const name = labels.filter((label) => !REGION.test(label)).join('.');
  return name === '' ? match[1].toLowerCase() : name;
}

/** `eventSource` without its `.amazonaws.com`. */
export function eventService(eventSource: string): string {
  return SOURCES.get(eventSource) ?? SOURCES.keep(eventSource, eventSource.toLowerCase().replace(/\.amazonaws\.com(?:\.cn)?$/, ''));
}

const SOURCES = new TextCache<string>(1024);
