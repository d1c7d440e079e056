import { DAY, MINUTE } from '../../core/clock.ts';
import { kmsItself } from '../callers.ts';
import { deleteImportedKeyMaterial, importKeyMaterial, serviceEvent } from '../controls.ts';
import { materialAt } from '../operations.ts';
import type { Call } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { signedIn, STAFF } from '../staff.ts';
import type { SimKey, World } from '../world.ts';

export function parametersForImport(key: SimKey): Call {
  return {
    operation: 'GetParametersForImport',
    readOnly: true,
    request: { keyId: key.id, wrappingAlgorithm: 'RSAES_OAEP_SHA_256', wrappingKeySpec: 'RSA_4096' },
    resources: [{ accountId: key.account, type: 'AWS::KMS::Key', ARN: key.arn }],
  };
}

/** The partner gateway's imported material reaches its end of validity over night; Mara imports it again a day and a half later. */
export function partnerMaterialExpired(world: World, scribe: Scribe): void {
  const key = world.key('stg-partner-import');
  const { region } = key;
  const { partnerExpired, partnerImported } = world.plot;
  const materialId = materialAt(key, partnerExpired) ?? '';
  scribe.write(
    { time: partnerExpired, region },
    kmsItself(key.account),
    serviceEvent('DeleteExpiredKeyMaterial', key, { keyMaterialId: materialId }),
  );
  const mara = signedIn(world, STAFF.mara, { account: 'staging', time: partnerImported, tool: 'cli' });
  scribe.write({ time: partnerImported - 4 * MINUTE, region }, mara, parametersForImport(key));
  scribe.write(
    { time: partnerImported, region },
    mara,
    importKeyMaterial(key, { validTo: partnerImported + 365 * DAY, materialId, first: false }),
  );
}

/** The trial of bringing one's own material has ended, and Mara deletes it: at once, without a waiting time. */
export function trialMaterialDeleted(world: World, scribe: Scribe): void {
  const key = world.key('stg-byok-trial');
  const time = world.plot.trialMaterialDeleted;
  scribe.write(
    { time, region: key.region },
    signedIn(world, STAFF.mara, { account: 'staging', time }),
    deleteImportedKeyMaterial(key, materialAt(key, time) ?? ''),
  );
}
