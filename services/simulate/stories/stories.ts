import type { Entry } from '../record.ts';
import { Random } from '../random.ts';
import { Scribe } from '../scribe.ts';
import type { World } from '../world.ts';
import { contractorProbes, notebookAppears, policyLeftOpen, recordCorrected, rootLooksAround } from './access.ts';
import { keyStoreServiced, kmsLeftOut, logKeyPolicyChanged, trailsMoved } from './blinding.ts';
import {
  churnKeySpared,
  exportAliasAstray,
  loyaltyKeyRetired,
  oldWarehouseRetired,
  scratchKeyDisabled,
  searchKeyLost,
  uploadsAliasLost,
} from './deletion.ts';
import { defaultEncryptionPaused, grantsClearedOut, grantsGiven, lockoutBypassed, replicaGoesAbroad, scannerTriedOut } from './exposure.ts';
import { partnerMaterialExpired, trialMaterialDeleted } from './imported.ts';
import { paramsRotationPaused, secretsRotated, sessionKeyReplaced, warehousePeriodRaised } from './rotation.ts';
import { logsToExpire, monitorQueueChanged, policiesByHand, secondTrailNarrowed } from './tampering.ts';
import { customerExported, importTriedAgain, lakeThrottled, mediaUnderForeignKey, secretsSwept } from './unusual-amounts.ts';
import { analystAtNight, auditorReads, credentialsOnLaptop, creditNotesSigned, emergencyUserTags } from './unusual-callers.ts';

/** What happens only once, by name. */
export const STORIES: Readonly<Record<string, (world: World, scribe: Scribe) => void>> = {
  searchKeyLost,
  churnKeySpared,
  loyaltyKeyRetired,
  oldWarehouseRetired,
  scratchKeyDisabled,
  exportAliasAstray,
  uploadsAliasLost,
  secretsRotated,
  paramsRotationPaused,
  warehousePeriodRaised,
  sessionKeyReplaced,
  partnerMaterialExpired,
  trialMaterialDeleted,
  kmsLeftOut,
  trailsMoved,
  keyStoreServiced,
  logKeyPolicyChanged,
  policyLeftOpen,
  notebookAppears,
  contractorProbes,
  rootLooksAround,
  recordCorrected,
  scannerTriedOut,
  lockoutBypassed,
  grantsGiven,
  grantsClearedOut,
  replicaGoesAbroad,
  defaultEncryptionPaused,
  policiesByHand,
  secondTrailNarrowed,
  logsToExpire,
  monitorQueueChanged,
  customerExported,
  secretsSwept,
  mediaUnderForeignKey,
  importTriedAgain,
  lakeThrottled,
  auditorReads,
  creditNotesSigned,
  credentialsOnLaptop,
  emergencyUserTags,
  analystAtNight,
};

export function tellStories(world: World): Entry[] {
  return Object.entries(STORIES).flatMap(([name, tell]) => {
    const scribe = new Scribe(new Random(`${world.seed}/story/${name}`));
    tell(world, scribe);
    return scribe.entries;
  });
}
