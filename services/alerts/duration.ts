/** Durations as Prometheus and Alertmanager write them: `30s`, `5m`, `1h30m`, `7d`, `2w`. https://prometheus.io/docs/prometheus/latest/configuration/configuration/ */

const UNITS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const FORM = /^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?(?:(\d{1,12})ms)?$/;

/** Milliseconds; null when the text is no duration. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  const found = FORM.exec(text);
  if (text === '' || !found) return null;
  return Object.values(UNITS).reduce((total, unit, at) => total + Number(found[at + 1] ?? 0) * unit, 0);
}

/** The shortest way to write it: `90000` → `1m30s`. */
export function durationText(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds));
  if (rest === 0) return '0s';
  let text = '';
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(rest / size);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
