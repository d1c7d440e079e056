import { visible, visibleLines } from '../api/text/visible.ts';
import { KmswatchError } from '../core/errors.ts';
import { withoutCredentials } from '../platform/logger.ts';
import { isConnectionLoss } from '../platform/postgres/errors.ts';
import { type OutStream, paint } from './out.ts';

/** Tells a person what went wrong and what can be done about it. Only a bug comes with a stack. */
export function printProblem(stream: OutStream, error: unknown): void {
  const tell = (message: string, hint: string | undefined): void => {
    stream.write(`${paint(stream, 'red', 'error:')} ${visibleLines(message)}\n${hint === undefined ? '' : `${visibleLines(hint)}\n`}`);
  };
  if (error instanceof KmswatchError) tell(error.message, error.hint);
  else if (isConnectionLoss(error)) tell('The database went away.', 'Try again; `kmswatch doctor` says whether it can be reached.');
  else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell(`This should not have happened, please report it: ${withoutCredentials(text)}`, undefined);
  }
}

/** A remark on standard error beside a command's result. */
export function printRemark(stream: OutStream, text: string): void {
  stream.write(`${paint(stream, 'yellow', 'note:')} ${visible(text)}\n`);
}
