/**
 * A fold over a subject's whole timeline is done once a subject, not once an event: otherwise a key with ten thousand
 * policy changes costs a hundred million steps. Memory goes with the subject.
 */
export function oncePer<S extends object, R>(compute: (subject: S, parameter: number) => R): (subject: S, parameter?: number) => R {
  const known = new WeakMap<S, Map<number, R>>();
  return (subject, parameter = 0) => {
    const results = known.get(subject) ?? new Map<number, R>();
    known.set(subject, results);
    const found = results.get(parameter);
    if (found !== undefined) return found;
    const result = compute(subject, parameter);
    results.set(parameter, result);
    return result;
  };
}
