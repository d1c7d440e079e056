/** Every attack that the simulation can tell. One line each; docs/reference/playbooks.md is made from it. */
import type { Playbook } from './contract.ts';
import { aliasSwap } from './playbooks/aliases.ts';
import { bucketDefaultTurned } from './playbooks/bucket-defaults.ts';
import { insiderBulkDecrypt, volumeExfiltration } from './playbooks/bulk-decrypts.ts';
import { deletionUnderCover, massDisable } from './playbooks/deletions.ts';
import { crossAccountUse } from './playbooks/foreign-callers.ts';
import { grantBackDoor, grantsTornDown } from './playbooks/grants.ts';
import { breakGlassMisused, consoleWithoutMfa, rootUsesKeys } from './playbooks/identities.ts';
import { materialRemoved } from './playbooks/imported-materials.ts';
import { logKeyAttacked, logStorageTampered, monitorTampered } from './playbooks/log-keepers.ts';
import { lockout, policyBackDoor, publicKeyPolicy } from './playbooks/policies.ts';
import { foreignKeyRansom, importedMaterialRansom } from './playbooks/ransoms.ts';
import { reEncryptExfiltration } from './playbooks/re-encryptions.ts';
import { replicaAbroad } from './playbooks/replicas.ts';
import { rotationOff } from './playbooks/rotations.ts';
import { signingByStranger } from './playbooks/signers.ts';
import { snapshotExfiltration } from './playbooks/snapshots.ts';
import { accessKeyReuse, endpointBypass, stolenRole } from './playbooks/stolen-credentials.ts';
import { keyReconnaissance, slowKeySweep } from './playbooks/sweeps.ts';
import { kmsLeftOut, trailBlinded } from './playbooks/trails.ts';

export const PLAYBOOKS: readonly Playbook[] = [
  insiderBulkDecrypt,
  volumeExfiltration,
  stolenRole,
  accessKeyReuse,
  endpointBypass,
  reEncryptExfiltration,
  foreignKeyRansom,
  importedMaterialRansom,
  slowKeySweep,
  keyReconnaissance,
  policyBackDoor,
  publicKeyPolicy,
  lockout,
  grantBackDoor,
  grantsTornDown,
  aliasSwap,
  deletionUnderCover,
  massDisable,
  materialRemoved,
  kmsLeftOut,
  trailBlinded,
  logStorageTampered,
  logKeyAttacked,
  monitorTampered,
  snapshotExfiltration,
  bucketDefaultTurned,
  rootUsesKeys,
  breakGlassMisused,
  consoleWithoutMfa,
  crossAccountUse,
  signingByStranger,
  rotationOff,
  replicaAbroad,
];
