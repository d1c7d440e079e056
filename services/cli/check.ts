/** One thing that `kmswatch doctor` has looked at. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do about it; null when all is well. */
  readonly mend: string | null;
}

export const ok = (name: string, message: string): Check => ({ name, status: 'ok', message, mend: null });
export const warn = (name: string, message: string, mend: string): Check => ({ name, status: 'warn', message, mend });
export const fail = (name: string, message: string, mend: string): Check => ({ name, status: 'fail', message, mend });
