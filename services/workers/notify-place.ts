/** From signals to alerts: findings that changed are put into the groups that the routes say, with what is told of them. */
import type pg from 'pg';
import { labelsOf } from '../alerts/labels.ts';
import { type Placement, placementsOf } from '../alerts/route.ts';
import type { JsonObject } from '../core/json.ts';
import { severityRank } from '../core/severity.ts';
import { type AlertRow, ensureGroups, type FindingToPlace, leaveGroups, placeAlerts, readFindingsToPlace } from '../store/alerts.ts';
import { type Signal, takeSignals } from '../store/alerts-signals.ts';
import type { Deps } from './deps.ts';

/** @returns the groups that were touched, and how many signals were taken */
export async function placeChanged(deps: Deps, client: pg.ClientBase, limit: number): Promise<{ touched: string[]; taken: number }> {
  const { signals, count } = await takeSignals(client, limit);
  if (signals.length === 0) return { touched: [], taken: count };
  const findings = await readFindingsToPlace(
    client,
    signals.map(({ findingId }) => findingId),
  );
  const placed = new Map(findings.map((finding) => [finding.id, place(deps, finding)]));
  const groups = new Map([...placed.values()].flatMap(({ placements }) => placements.map((each) => [each.groupId, each] as const)));
  await ensureGroups(
    client,
    [...groups.values()].map(({ groupLabels, ...group }) => ({ ...group, labels: groupLabels })),
  );
  const rows = signals.flatMap((signal) => rowsOf(signal, placed.get(signal.findingId)));
  if (rows.length > 0) await placeAlerts(client, rows);
  const left = await leaveGroups(
    client,
    signals.map(({ findingId, reroutedOnly }) => ({
      findingId,
      groupIds: (placed.get(findingId)?.placements ?? []).map(({ groupId }) => groupId),
      silently: reroutedOnly,
    })),
  );
  return { touched: [...new Set([...groups.keys(), ...left])], taken: count };
}

interface Placed {
  readonly finding: FindingToPlace;
  readonly labels: Readonly<Record<string, string>>;
  readonly view: JsonObject;
  readonly placements: readonly Placement[];
}

function place({ alerting, detectors }: Deps, finding: FindingToPlace): Placed {
  const own = detectors.find(({ detector }) => detector.id === finding.detector)?.detector.family;
  const family = own ?? alerting.families.get(finding.detector) ?? 'other';
  const labels = labelsOf({ ...finding, family }, alerting.ownerTags);
  return { finding, labels, view: viewOf(finding, family), placements: placementsOf(alerting.root, labels) };
}

function rowsOf(signal: Signal, placed: Placed | undefined): AlertRow[] {
  if (!placed) return [];
  const { finding, labels, view, placements } = placed;
  return placements.map(({ groupId }) => ({
    groupId,
    findingId: finding.id,
    labels,
    rank: severityRank(finding.severity),
    standing: finding.status,
    view,
    isNew: signal.isNew,
    committedAt: signal.committedAt,
  }));
}

/** What is told of a finding but for its standing, kept with the alert: a finding that is withdrawn is told of once more. */
function viewOf(finding: FindingToPlace, family: string): JsonObject {
  const { id, status: _status, tags: _tags, explanation, ...told } = finding;
  const { what, why, benign, now } = explanation;
  return { findingId: id, family, ...told, explanation: { what, why, benign, now } };
}
