import { KmswatchError } from '../core/errors.ts';

/** What a file or folder that the user named, and that the system does not let us read, is told as. An error that is not the system's is thrown as it is. */
export function cannotBeRead(path: string, cause: unknown): KmswatchError {
  if (!(cause instanceof Error) || !('code' in cause) || !('syscall' in cause)) throw cause;
  return new KmswatchError('SOURCE_UNREADABLE', `${path} cannot be read: ${String(cause.code)}`, { cause });
}
