import { z } from 'zod';
import { parseKmsArn } from '../../core/arn.ts';
import { DAY, HOUR } from '../../core/clock.ts';
import { type Burst, burstsOf } from '../bursts.ts';
import { defineWindowDetector } from '../contract.ts';
import { rowEvidence, rowSpan } from '../row-evidence.ts';
import { actorName, count, iso, keyId, listed, moment, plain } from '../wording.ts';

/** Denied calls of an actor, hour by hour, against its own habit; `bursts.ts` tells the method. */
export default defineWindowDetector({
  id: 'denied-burst',
  title: 'KMS denied a caller far more often than usual',
  severity: 'medium',
  status: 'stable',
  family: 'access',
  kind: 'baseline',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({
    minimumPerHour: z.int().min(2).default(10),
    historyDays: z.int().min(1).max(90).default(14),
    chance: z.number().positive().max(0.01).default(0.000001),
  }),
  techniques: ['T1580'],
  blindSpots: [
    'Probing that stays below the minimum an hour.',
    'Hours that were not ingested count as hours without denied calls.',
    "A call that is denied to a caller of another account is logged in the caller's account only.",
  ],
  falsePositives: ['A deployment or policy change that took a permission away from a program that retries.'],

  evaluate(subject, { params }) {
    const bursts = burstsOf(subject.denied, {
      minimum: params.minimumPerHour,
      historyHours: (params.historyDays * DAY) / HOUR,
      chance: params.chance,
    });
    const [peak] = bursts.toSorted((a, b) => b.count - a.count || a.hour - b.hour);
    if (peak === undefined) return [];
    const hours = new Set(bursts.map((burst) => burst.hour));
    const rows = subject.denied.filter((row) => hours.has(row.hour));
    const calls = bursts.reduce((sum, burst) => sum + burst.count, 0);
    const targets = new Set(rows.map((row) => row.keyArn));
    const keys = [...targets].filter((key) => key !== null).toSorted();
    const operations = [...new Set(rows.map((row) => row.operation))].toSorted();
    const { firstAt, lastAt } = rowSpan(rows);
    const onto = keys.length === 0 ? 'no key that the records name' : `${count(keys.length, 'key')} (${listed(keys.map(keyId), 3)})`;
    return [
      {
        dedupKey: [subject.actor.id],
        // A name that is not a key's own, an alias, says nothing certain about the key.
        keyArn: targets.size === 1 && keys[0]?.includes(':key/') ? keys[0] : null,
        region: regionOf(keys),
        at: firstAt,
        until: lastAt,
        occurrences: calls,
        actor: subject.actor.id,
        evidence: rowEvidence(rows),
        explanation: {
          what: `KMS denied ${count(calls, 'call')} of ${actorName(subject.actor)} in ${count(bursts.length, 'hour')} that stand out, for ${onto}: ${listed(operations)}.`,
          why: `Observed at most ${peak.count}, in the hour from ${moment(peak.hour)}. Expected from the ${params.historyDays} days before it, hours without a denied call included: ${peak.mean.toFixed(2)} an hour on average, median ${peak.median}, and at most ${peak.percentile99} in 99 of 100 hours.`,
          benign: 'A permission was taken away by mistake, or a program was set up with the wrong key.',
          now: [
            `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(peak.hour)} --end-time ${iso(peak.hour + HOUR)}`,
            'See which calls of the same caller succeeded in that hour.',
            'Ask the owner of the caller whether something was changed just before.',
            "If nobody knows the calls, take the caller's credentials out of use and look for what they reached elsewhere.",
          ],
        },
        details: {
          calls,
          burst_hours: bursts.length,
          ...peakDetails(peak),
          history_days: params.historyDays,
          key_count: keys.length,
          operations: operations.slice(0, 20).map((name) => plain(name, 64)),
        },
      },
    ];
  },
});

/** The Region that all keys are in; nothing where they are in several, or none is named. */
function regionOf(keys: readonly string[]): string | undefined {
  const regions = new Set(keys.map((key) => parseKmsArn(key)?.region));
  return regions.size === 1 ? [...regions][0] : undefined;
}

function peakDetails(peak: Burst) {
  return {
    peak_hour: iso(peak.hour),
    peak_calls: peak.count,
    expected_per_hour: Number(peak.mean.toFixed(4)),
    median_per_hour: peak.median,
    mad_per_hour: peak.mad,
    percentile_99_per_hour: peak.percentile99,
  };
}
