import type { Actor } from '../core/event.ts';
import { TextCache } from './cache.ts';
import { clean, IDENTIFIER_LIMIT } from './text.ts';

export const AWS_ITSELF: Actor = Object.freeze({ type: 'aws', id: 'aws', account: null, name: 'AWS' });
export const ANONYMOUS: Actor = Object.freeze({ type: 'anonymous', id: 'anonymous', account: null, name: 'anonymous' });
export const UNKNOWN_ACTOR: Actor = Object.freeze({ type: 'unknown', id: 'unknown', account: null, name: 'unknown' });

const PRINCIPAL = /^arn:(aws[a-z-]*):(?:iam|sts)::([^:\s/]{1,64}):(?:(root)$|(user|role|assumed-role|federated-user)\/(.+)$)/;

/**
 * The principal behind an IAM or STS ARN. An assumed-role ARN names role and session: the actor is the role
 * (`arn:aws:iam::ACCOUNT:role/NAME`; such an ARN does not tell the role's path). Null for other ARNs.
 */
export function actorOfArn(arn: string): Actor | null {
  const known = ACTORS.get(arn);
  if (known !== undefined) return known;
  const actor = parse(clean(arn, IDENTIFIER_LIMIT));
  return ACTORS.keep(arn, actor === null ? null : Object.freeze(actor));
}

const ACTORS = new TextCache<Actor | null>(4096);

function parse(arn: string): Actor | null {
  const match = PRINCIPAL.exec(arn);
  if (!match) return null;
  const [, partition = '', account = '', root, kind, path = ''] = match;
  if (root !== undefined) return { type: 'root', id: arn, account, name: 'root' };
  const name = path.slice(path.lastIndexOf('/') + 1) || path;
  if (kind === 'user') return { type: 'iam-user', id: arn, account, name };
  if (kind === 'federated-user') return { type: 'federated-user', id: arn, account, name };
  if (kind === 'role') return { type: 'role', id: arn, account, name };
  const role = path.split('/', 1)[0] || path;
  return { type: 'role', id: `arn:${partition}:iam::${account}:role/${role}`, account, name: role };
}
