import { DAY, HOUR, MINUTE } from '../core/clock.ts';
import { laterMoment, workMoment } from './instants.ts';

/** Hours east of UTC of the places where the company's people work. */
export const OFFSETS = { berlin: 1, lisbon: 0, austin: -6, bangalore: 5.5 } as const;

/** When the month's stories happen. All are moments before `end`, in working hours where people act. */
export interface Plot {
  readonly secretsRotated: number;
  readonly paramsRotationStopped: number;
  readonly paramsRotationResumed: number;
  readonly returnsKeyCreated: number;
  readonly featureKeyCreated: number;
  readonly warehousePeriodRaised: number;
  readonly scratchDisabled: number;
  readonly scratchEnabled: number;
  readonly searchScheduled: number;
  readonly searchPolicyChanged: number;
  readonly searchDeleted: number;
  readonly churnScheduled: number;
  readonly churnCancelled: number;
  readonly partnerExpired: number;
  readonly partnerImported: number;
  readonly trialMaterialDeleted: number;
  readonly kmsExcluded: number;
  readonly kmsIncluded: number;
  readonly lakeTrailStopped: number;
  readonly lakeTrailStarted: number;
  readonly oldTrailDeleted: number;
  readonly policyOpened: number;
  readonly policyClosed: number;
  readonly storeDisconnected: number;
  readonly storeConnected: number;
  readonly exportAliasMoved: number;
  readonly exportAliasReturned: number;
  readonly sessionKeyReplaced: number;
  readonly uploadsAliasDeleted: number;
  readonly uploadsAliasRestored: number;
  readonly notebookAppears: number;
  readonly contractorProbes: number;
  readonly rootSignsIn: number;
  readonly logKeyPolicyChanged: number;
  readonly loyaltyScheduled: number;
  readonly warehouseScheduled: number;
  readonly recordCorrected: number;
}

/** @param end epoch milliseconds; the latest story lies about two days before it, the earliest 27 */
export function plotOf(end: number): Plot {
  const on = (daysBefore: number, offset: number, hour: number, minute: number): number =>
    workMoment(end, daysBefore, { hour, minute, offset });
  const { berlin, lisbon, austin, bangalore } = OFFSETS;
  const scratchDisabled = on(21, berlin, 16, 44);
  const uploadsAliasDeleted = on(9, berlin, 17, 2);
  const searchScheduled = on(20, bangalore, 17, 42);
  const churnScheduled = on(19, lisbon, 11, 5);
  const kmsExcluded = on(15, austin, 14, 3);
  const lakeTrailStopped = on(14, austin, 10, 31);
  const policyOpened = on(12, berlin, 15, 18);
  const storeDisconnected = on(11, berlin, 18, 30);
  const exportAliasMoved = on(10, lisbon, 10, 12);
  const partnerExpired = Math.floor((end - 17 * DAY) / DAY) * DAY + 30_000;
  return {
    secretsRotated: on(27, berlin, 10, 0),
    paramsRotationStopped: on(25, austin, 16, 21),
    paramsRotationResumed: on(22, berlin, 9, 40),
    returnsKeyCreated: on(23, bangalore, 12, 8),
    featureKeyCreated: on(26, berlin, 14, 26),
    warehousePeriodRaised: on(22, lisbon, 15, 50),
    scratchDisabled,
    scratchEnabled: laterMoment(scratchDisabled, 1, { hour: 9, minute: 20, offset: berlin }),
    searchScheduled,
    searchPolicyChanged: laterMoment(searchScheduled, 2, { hour: 18, minute: 22, offset: bangalore }),
    searchDeleted: searchScheduled + 7 * DAY + 3 * HOUR + 11 * MINUTE,
    churnScheduled,
    churnCancelled: churnScheduled + 2 * HOUR + 17 * MINUTE,
    partnerExpired,
    partnerImported: partnerExpired + 34 * HOUR + 22 * MINUTE,
    trialMaterialDeleted: on(16, berlin, 11, 37),
    kmsExcluded,
    kmsIncluded: kmsExcluded + 52 * MINUTE,
    lakeTrailStopped,
    lakeTrailStarted: lakeTrailStopped + 24 * MINUTE,
    oldTrailDeleted: on(13, austin, 13, 9),
    policyOpened,
    policyClosed: policyOpened + 38 * MINUTE,
    storeDisconnected,
    storeConnected: storeDisconnected + 41 * MINUTE,
    exportAliasMoved,
    exportAliasReturned: exportAliasMoved + 3 * HOUR,
    sessionKeyReplaced: on(10, berlin, 9, 30),
    uploadsAliasDeleted,
    uploadsAliasRestored: laterMoment(uploadsAliasDeleted, 1, { hour: 10, minute: 2, offset: berlin }),
    notebookAppears: on(8, lisbon, 21, 14),
    contractorProbes: on(7, bangalore, 22, 41),
    rootSignsIn: on(6, austin, 9, 55),
    logKeyPolicyChanged: on(5, berlin, 14, 12),
    loyaltyScheduled: on(4, austin, 11, 26),
    warehouseScheduled: on(3, lisbon, 12, 33),
    recordCorrected: end - 2 * DAY - 5 * HOUR,
  };
}
