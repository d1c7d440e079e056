import { DAY, HOUR, MINUTE } from '../../../core/clock.ts';
import { kmsItself, via } from '../../callers.ts';
import { createKey, deleteImportedKeyMaterial, importKeyMaterial, serviceEvent } from '../../controls.ts';
import { decrypt, generateDataKey, refused } from '../../operations.ts';
import type { Caller } from '../../record.ts';
import { parametersForImport } from '../../stories/imported.ts';
import type { SimKey } from '../../world.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, dataKeyUnder, elsewhere, foreignKey, newKey, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';

const S3 = 's3.amazonaws.com';

/** Copies an object onto itself under another key: S3 decrypts it, and asks the other key for a new data key. @returns when */
function copyObject(t: Telling, how: { caller: Caller; key: OrgKey; foreign: string; time: number }): number {
  const { caller, key, foreign, time } = how;
  const { region } = key.key;
  const context = key.context(t.random);
  t.attack({ time, region }, caller, decrypt(key.key, { context, time }));
  return t.attack({ time, region }, caller, dataKeyUnder(foreign, context));
}

/** Objects are written anew under a key of the attacker's account, and are lost when that key is switched off. */
export const foreignKeyRansom: Playbook = playbook({
  id: 'foreign-key-ransom',
  about: 'Objects are copied onto themselves under a key of the attacker’s own account.',
  needs: ['s3'],
  days: 9,
  expects: ['foreign-key-encryption'],
  variants: {
    loud: {
      how: '200 objects in half an hour by a stolen administrator’s session',
      tell: (t) => {
        const [person, key] = [t.person('PlatformAdmin', 'Developer'), t.key('s3')];
        const foreign = foreignKey(t, key.key.region);
        const caller = via(elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali }), S3);
        let known = 0;
        for (let n = 0, time = t.at; n < 200; n += 1, time += t.pause(4, 14)) {
          const at = copyObject(t, { caller, key, foreign, time });
          if (n === 0) known = at;
        }
        return known;
      },
    },
    quiet: {
      how: 'eight objects in an hour of the working day',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'DataEngineer'), t.key('s3')];
        const foreign = foreignKey(t, key.key.region);
        const since = t.office(person, 15);
        const caller = via(person.caller(t.account.id, since, 'cli'), S3);
        let known = 0;
        for (let n = 0, time = since; n < 8; n += 1, time += t.pause(200, 600)) {
          const at = copyObject(t, { caller, key, foreign, time });
          if (n === 0) known = at;
        }
        return known;
      },
    },
    evasive: {
      how: 'by the workloads’ own roles through Amazon S3, with Bucket Keys: one call each on four days, each under another key',
      tell: (t) => {
        const keys = t.keysFor('s3');
        let known = 0;
        for (let day = 0; day < 4; day += 1) {
          const key = t.random.pick(keys);
          const time = t.at + day * DAY + t.pause(0, 8 * 3600);
          const caller = t.workload(key).caller(time);
          const at = copyObject(t, { caller, key, foreign: foreignKey(t, key.key.region), time });
          if (day === 0) known = at;
        }
        return known;
      },
    },
  },
});

interface Import {
  readonly key: SimKey;
  readonly caller: Caller;
  readonly created: number;
  readonly validFor: number;
}

/** CreateKey EXTERNAL and ImportKeyMaterial, a few minutes apart. @returns the time of the import */
function importKey(t: Telling, { key, caller, created, validFor }: Import): number {
  const { region } = key;
  t.attack({ time: created, region }, caller, createKey(key, null));
  t.attack({ time: created + 2 * MINUTE, region }, caller, parametersForImport(key));
  const time = created + 6 * MINUTE;
  return t.attack({ time, region }, caller, importKeyMaterial(key, { validTo: time + validFor, materialId: materialOf(key), first: true }));
}

const materialOf = (key: SimKey): string => key.materials[0]?.id ?? '';

/** Objects of a bucket under the new key. @returns the time after the last */
function fill(
  t: Telling,
  how: { key: SimKey; model: OrgKey; caller: Caller; since: number; count: number; pause: readonly [number, number] },
): number {
  let time = how.since;
  for (let n = 0; n < how.count; n += 1, time += t.pause(...how.pause)) {
    t.attack({ time, region: how.key.region }, how.caller, generateDataKey(how.key, { context: how.model.context(t.random), time }));
  }
  return time;
}

/** Those who read the objects afterwards fail. */
function readersFail(t: Telling, key: SimKey, model: OrgKey, since: number): void {
  const error = { code: 'KMSInvalidStateException', message: `${key.arn} is pending import.` };
  for (let n = 0, time = since + 3 * MINUTE; n < 6; n += 1, time += t.pause(60, 900)) {
    t.bystander(
      { time, region: key.region },
      t.workload(model).caller(time),
      refused(decrypt(key, { context: model.context(t.random), time }), error),
    );
  }
}

/** A key whose material only the attacker holds a copy of. */
export const importedMaterialRansom: Playbook = playbook({
  id: 'imported-material-ransom',
  about: 'Data is encrypted under a new key with imported material, and the material is taken away.',
  needs: ['s3'],
  days: 9,
  expects: ['ransom-sequence', 'imported-material-deleted', 'imported-material-expired'],
  variants: {
    loud: {
      how: 'from CreateKey to DeleteImportedKeyMaterial within two hours, with 150 data keys in between',
      tell: (t) => {
        const [person, model] = [t.person('PlatformAdmin', 'Developer'), t.key('s3')];
        const key = newKey(t, { time: t.at, region: model.key.region, purpose: 'backup', origin: 'EXTERNAL' });
        const caller = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const imported = importKey(t, { key, caller, created: t.at, validFor: 30 * DAY });
        const filled = fill(t, { key, model, caller: via(caller, S3), since: imported + MINUTE, count: 150, pause: [10, 30] });
        const known = t.attack({ time: filled + MINUTE, region: key.region }, caller, deleteImportedKeyMaterial(key, materialOf(key)));
        readersFail(t, key, model, known);
        return known;
      },
    },
    quiet: {
      how: 'at the office: imported, two days of slow use, deleted',
      tell: (t) => {
        const [person, model] = [t.person('PlatformAdmin', 'Developer'), t.key('s3')];
        const [created, removed] = [t.office(person, 11), t.office(person, 16, 2)];
        const key = newKey(t, { time: created, region: model.key.region, purpose: 'archive encryption', origin: 'EXTERNAL' });
        const caller = (time: number) => person.caller(t.account.id, time, 'cli');
        const imported = importKey(t, { key, caller: caller(created), created, validFor: 180 * DAY });
        fill(t, { key, model, caller: via(caller(created), S3), since: imported + HOUR, count: 30, pause: [300, 1500] });
        const known = t.attack({ time: removed, region: key.region }, caller(removed), deleteImportedKeyMaterial(key, materialOf(key)));
        readersFail(t, key, model, known);
        return known;
      },
    },
    evasive: {
      how: 'the pipeline creates the key in the change window; the material expires by itself, so that nobody deletes it',
      tell: (t) => {
        const model = t.key('s3');
        const created = t.window();
        const key = newKey(t, { time: created, region: model.key.region, purpose: 'bucket encryption', origin: 'EXTERNAL' });
        const validFor = 40 * HOUR;
        const imported = importKey(t, { key, caller: t.account.pipeline(created), created, validFor });
        for (let n = 0, time = imported + HOUR; n < 40; n += 1, time += t.pause(900, 3600)) {
          if (time > imported + validFor - HOUR) break;
          t.attack(
            { time, region: key.region },
            via(t.workload(model).direct(time), S3),
            generateDataKey(key, { context: model.context(t.random), time }),
          );
        }
        const expired = imported + validFor + 20_000;
        const details = { keyMaterialId: materialOf(key) };
        const known = t.bystander(
          { time: expired, region: key.region },
          kmsItself(key.account),
          serviceEvent('DeleteExpiredKeyMaterial', key, details),
        );
        readersFail(t, key, model, known);
        return known;
      },
    },
  },
});
