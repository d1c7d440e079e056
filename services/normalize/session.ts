import type { Session } from '../core/event.ts';
import { type Raw, readBoolean, readName, readObject } from './fields.ts';
import type { Parts } from './parts.ts';
import { clean, NAME_LIMIT } from './text.ts';

/**
 * The session within which the principal acted. Its name is what the role's user chose; for IAM Identity Center it is the person.
 */
export function sessionOf({ record, identity, lost }: Parts): Session {
  const context = readObject(identity?.sessionContext, 'userIdentity.sessionContext', lost);
  const attributes = readObject(context?.attributes, 'userIdentity.sessionContext.attributes', lost);
  return {
    name: identity === null ? null : sessionName(identity),
    accessKeyId: readName(identity?.accessKeyId, 'userIdentity.accessKeyId', lost),
    mfa: readBoolean(attributes?.mfaAuthenticated, 'userIdentity.sessionContext.attributes.mfaAuthenticated', lost),
    console: readBoolean(record.sessionCredentialFromConsole, 'sessionCredentialFromConsole', lost) === true,
  };
}

const MARK = ':assumed-role/';

/** Behind the role in `…:assumed-role/ROLE/SESSION`, else behind the colon of `AROA…:SESSION`. */
function sessionName({ arn, principalId, type }: Raw): string | null {
  if (typeof arn === 'string') {
    const role = arn.indexOf(MARK);
    if (role > 0) {
      const slash = arn.indexOf('/', role + MARK.length);
      if (slash > 0 && slash < arn.length - 1) return clean(arn.slice(slash + 1), NAME_LIMIT);
    }
  }
  const hasSession = type === 'AssumedRole' || type === 'AWSAccount';
  if (!hasSession || typeof principalId !== 'string') return null;
  const colon = principalId.lastIndexOf(':');
  return colon > 0 && colon < principalId.length - 1 ? clean(principalId.slice(colon + 1), NAME_LIMIT) : null;
}
