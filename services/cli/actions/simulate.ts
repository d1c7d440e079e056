import { resolve } from 'node:path';
import { bytes, counted, iso, number } from '../../api/text/words.ts';
import { KmswatchError } from '../../core/errors.ts';
import { type App, Interrupted } from '../app.ts';
import { printJson } from '../json.ts';
import { writeMonth } from '../month-files.ts';

export interface SimulateOptions {
  readonly out: string;
  readonly seed: string;
  readonly days: number;
  readonly end?: number;
  readonly scale: number;
  readonly json?: boolean;
}

/** Writes a simulated month as files. */
export async function simulate(app: App, options: SimulateOptions): Promise<void> {
  const { seed, days, scale, end = app.clock.now() } = options;
  const folder = resolve(app.directory, options.out);
  const written = await writeMonth(
    folder,
    { seed, days, scale, end },
    {
      signal: app.interrupt,
      onFile: ({ files, records }) => app.status.show(`${number(files)} files, ${number(records)} records`),
    },
  ).catch((cause: unknown) => {
    throw cause instanceof Error && 'syscall' in cause
      ? new KmswatchError('DATA_DIR_UNUSABLE', `Cannot write to ${folder}: ${cause.message}`, {
          hint: 'Choose another directory with --out.',
          cause,
        })
      : cause;
  });
  app.status.clear();
  if (app.interrupt.aborted) throw new Interrupted();
  const result = { out: folder, seed, end: iso(end), days, scale, ...written };
  if (options.json) printJson(app.out.stdout, result);
  else
    app.out.stdout.write(
      `${counted(written.records, 'record')} in ${counted(written.files, 'file')} (${bytes(written.bytes)}) below ${folder}\n`,
    );
}
