/** The seeds' verdicts together, and their tables. */
import { MINUTE } from '../../services/core/clock.ts';
import { SEVERITIES, type Severity } from '../../services/core/severity.ts';
import { type Variant, VARIANTS } from '../../services/simulate/organization/contract.ts';
import { type Recognition, TARGET_DELAY_MS, type Verdict } from './judge.ts';

export interface SeedVerdict extends Omit<Verdict, 'findings'> {
  readonly seed: string;
  readonly cpuMs: number;
  readonly rssMb: number;
}

export const TARGETS = {
  recall: { loud: 1, quiet: 1, evasive: 0.8 },
  urgentPerDay: 0.05,
  anyPerDay: 0.5,
  delayMs: TARGET_DELAY_MS,
} as const;

export interface Share {
  readonly recognised: number;
  readonly told: number;
}

export interface Delays {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Of recognised stories, 0 to 1. */
  readonly withinTarget: number;
}

export interface Quality {
  readonly seeds: readonly string[];
  readonly records: number;
  readonly events: number;
  /** Stories that were not judged because another one kept them from the trail. */
  readonly hidden: number;
  readonly recall: Readonly<Record<Variant, Share>>;
  readonly playbooks: Readonly<Record<string, Readonly<Record<Variant, Share & { readonly p95: number | null }>>>>;
  /** Of the stories that were recognised; null where none was. */
  readonly delays: Readonly<Record<Variant | 'all', Delays | null>>;
  readonly benignDays: number;
  /** Findings per benign account-day. */
  readonly noise: {
    readonly any: number;
    /** High and critical. */
    readonly urgent: number;
    readonly bySeverity: Readonly<Record<Severity, number>>;
    readonly byDetector: Readonly<Record<string, { readonly findings: number; readonly urgent: number }>>;
  };
  readonly failures: readonly string[];
  readonly cpuMsPerSeed: number;
  readonly rssMb: number;
}

export function qualityOf(verdicts: readonly SeedVerdict[]): Quality {
  const stories = verdicts.flatMap((verdict) => verdict.stories);
  const noise = verdicts.flatMap((verdict) => verdict.noise);
  const benignDays = sum(verdicts.map((verdict) => verdict.benignDays));
  const rate = (findings: number): number => (benignDays === 0 ? 0 : findings / benignDays);
  const isUrgent = (severity: Severity): boolean => severity === 'critical' || severity === 'high';
  const byVariant = <T>(of: (variant: Variant) => T): Record<Variant, T> =>
    Object.fromEntries(VARIANTS.map((variant) => [variant, of(variant)])) as Record<Variant, T>;
  const playbooks = [...Map.groupBy(stories, ({ playbook }) => playbook)].sort(([a], [b]) => (a < b ? -1 : 1));
  const detectors = [...Map.groupBy(noise, ({ detector }) => detector)].sort(([, a], [, b]) => b.length - a.length);
  return {
    seeds: verdicts.map(({ seed }) => seed),
    records: sum(verdicts.map((verdict) => verdict.records)),
    events: sum(verdicts.map((verdict) => verdict.events)),
    hidden: sum(verdicts.map((verdict) => verdict.hidden)),
    recall: byVariant((variant) => shareOf(stories, variant)),
    playbooks: Object.fromEntries(
      playbooks.map(([playbook, same]) => [
        playbook,
        byVariant((variant) => ({
          ...shareOf(same, variant),
          p95: delaysOf(same.filter((story) => story.variant === variant))?.p95 ?? null,
        })),
      ]),
    ),
    delays: { ...byVariant((variant) => delaysOf(stories.filter((story) => story.variant === variant))), all: delaysOf(stories) },
    benignDays,
    noise: {
      any: rate(noise.length),
      urgent: rate(noise.filter(({ severity }) => isUrgent(severity)).length),
      bySeverity: Object.fromEntries(
        SEVERITIES.map((severity) => [severity, rate(noise.filter((each) => each.severity === severity).length)]),
      ) as Record<Severity, number>,
      byDetector: Object.fromEntries(
        detectors.map(([detector, same]) => [
          detector,
          { findings: same.length, urgent: same.filter(({ severity }) => isUrgent(severity)).length },
        ]),
      ),
    },
    failures: [...new Set(verdicts.flatMap((verdict) => verdict.failures))].sort(),
    cpuMsPerSeed: verdicts.length === 0 ? 0 : sum(verdicts.map(({ cpuMs }) => cpuMs)) / verdicts.length,
    rssMb: Math.max(0, ...verdicts.map(({ rssMb }) => rssMb)),
  };
}

function shareOf(stories: readonly Recognition[], variant: Variant): Share {
  const told = stories.filter((story) => story.variant === variant);
  return { recognised: told.filter(({ recognised }) => recognised).length, told: told.length };
}

function delaysOf(stories: readonly Recognition[]): Delays | null {
  const delays = stories.flatMap(({ delayMs }) => delayMs ?? []).sort((a, b) => a - b);
  if (delays.length === 0) return null;
  const at = (share: number): number => delays[Math.ceil(delays.length * share) - 1] ?? 0;
  return {
    p50: at(0.5),
    p95: at(0.95),
    max: at(1),
    withinTarget: delays.filter((delay) => delay <= TARGET_DELAY_MS).length / delays.length,
  };
}

/** Markdown: the summary beside its targets, each playbook, and where the noise comes from. */
export function tables(quality: Quality): string {
  const { recall, delays, noise, benignDays, seeds } = quality;
  const summary = [
    ...VARIANTS.map((variant) => [
      `Stories recognised, ${variant}`,
      ratio(recall[variant]),
      `${variant === 'evasive' ? '≥ ' : ''}${percent(TARGETS.recall[variant])}`,
    ]),
    ['Findings per benign account-day, high or critical', noise.urgent.toFixed(3), `≤ ${TARGETS.urgentPerDay}`],
    ['Findings per benign account-day, any severity', noise.any.toFixed(3), `≤ ${TARGETS.anyPerDay}`],
    ['First finding within 5 minutes, of recognised stories', delays.all ? percent(delays.all.withinTarget) : '–', '100 %'],
  ];
  return [
    `Seeds ${seeds.join(', ')}: ${thousands(quality.records)} records, of them ${thousands(quality.events)} events that detection asks for; ${thousands(
      sum(VARIANTS.map((variant) => recall[variant].told)),
    )} stories, and ${quality.hidden} left out that another one kept from the trail; ${thousands(benignDays)} benign account-days.`,
    table(['Measure', 'Result', 'Target'], summary),
    table(
      ['Time to the first finding', 'p50', 'p95', 'max', 'within 5 min'],
      (['all', ...VARIANTS] as const).map((variant) => {
        const of = delays[variant];
        return of ? [variant, time(of.p50), time(of.p95), time(of.max), percent(of.withinTarget)] : [variant, '–', '–', '–', '–'];
      }),
    ),
    table(
      ['Playbook', ...VARIANTS.flatMap((variant) => [variant, 'p95'])],
      Object.entries(quality.playbooks).map(([playbook, of]) => [
        playbook,
        ...VARIANTS.flatMap((variant) => [
          of[variant].told === 0 ? '–' : `${of[variant].recognised}/${of[variant].told}`,
          of[variant].p95 === null ? '–' : time(of[variant].p95),
        ]),
      ]),
    ),
    table(
      ['Severity', 'Findings per benign account-day'],
      SEVERITIES.map((severity) => [severity, noise.bySeverity[severity].toFixed(4)]),
    ),
    table(
      ['Detector', 'Benign findings', 'high or critical', 'per account-day'],
      Object.entries(noise.byDetector).map(([detector, { findings, urgent }]) => [
        detector,
        thousands(findings),
        thousands(urgent),
        (findings / Math.max(1, benignDays)).toFixed(4),
      ]),
    ),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function ratio({ recognised, told }: Share): string {
  return told === 0 ? '–' : `${percent(recognised / told)} (${recognised} of ${told})`;
}

function percent(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1).replace(/\.0$/, '')} %`;
}

function time(ms: number): string {
  if (ms < 1000) return '0';
  if (ms < 2 * MINUTE) return `${Math.round(ms / 1000)} s`;
  return ms < 180 * MINUTE ? `${Math.round(ms / MINUTE)} min` : `${(ms / (60 * MINUTE)).toFixed(1)} h`;
}

function thousands(value: number): string {
  return value.toLocaleString('en-US');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
