import { resourceOf } from './operations.ts';
import type { Call } from './record.ts';
import type { SimKey } from './world.ts';

/** Alias calls list the alias and the key among their resources, CreateAlias in the other order than the rest. */
export function createAlias(key: SimKey, alias: string): Call {
  return {
    operation: 'CreateAlias',
    readOnly: false,
    request: { aliasName: alias, targetKeyId: key.id },
    response: null,
    resources: [resourceOf(key.arn), resourceOf(aliasArn(key, alias))],
  };
}

export function updateAlias(key: SimKey, alias: string): Call {
  return {
    operation: 'UpdateAlias',
    readOnly: false,
    request: { aliasName: alias, targetKeyId: key.id },
    response: null,
    resources: [resourceOf(aliasArn(key, alias)), resourceOf(key.arn)],
  };
}

export function deleteAlias(key: SimKey, alias: string): Call {
  return {
    operation: 'DeleteAlias',
    readOnly: false,
    request: { aliasName: alias },
    response: null,
    resources: [resourceOf(aliasArn(key, alias)), resourceOf(key.arn)],
  };
}

function aliasArn(key: SimKey, alias: string): string {
  return `arn:aws:kms:${key.region}:${key.account}:${alias}`;
}
