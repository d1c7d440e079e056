/** Moves of an alias: which key it pointed to before each, by all that is known, and whether it was a move back. */
import type { AliasSubject } from './contract.ts';
import { oncePer } from './once-per.ts';
import { judgeChanges } from './settled.ts';

/** CreateAlias and UpdateAlias in order. A deleted alias has no target, so one that is made again is compared with the last it had. */
export const aliasMoves = oncePer((subject: AliasSubject) => {
  let known: string | null = null;
  return judgeChanges(
    subject.timeline.flatMap(({ event, before, after }) => {
      known = before ?? known;
      if ((event.operation !== 'UpdateAlias' && event.operation !== 'CreateAlias') || event.outcome !== 'ok' || after === null) return [];
      const change = { event, from: known, to: after };
      known = after;
      return [change];
    }),
    true,
  );
});

/** Alias name as the `aws` command wants it. */
export function aliasName(subject: AliasSubject): string {
  return subject.arn.slice(subject.arn.indexOf('alias/'));
}
