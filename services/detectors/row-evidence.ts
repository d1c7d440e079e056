/** Event ids of the first and last events of aggregated rows, in event order: the proof that aggregates can give. */
export function rowEvidence(rows: readonly Row[]): string[] {
  const ends = rows.flatMap((row) => [
    { at: row.firstAt, id: row.firstEventId },
    { at: row.lastAt, id: row.lastEventId },
  ]);
  const ordered = ends.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return [...new Set(ordered.map((end) => end.id))];
}

/** Earliest and latest event time of rows. */
export function rowSpan(rows: readonly Row[]): { firstAt: number; lastAt: number } {
  return {
    firstAt: rows.reduce((at, row) => Math.min(at, row.firstAt), Number.POSITIVE_INFINITY),
    lastAt: rows.reduce((at, row) => Math.max(at, row.lastAt), Number.NEGATIVE_INFINITY),
  };
}

interface Row {
  readonly firstAt: number;
  readonly firstEventId: string;
  readonly lastAt: number;
  readonly lastEventId: string;
}
