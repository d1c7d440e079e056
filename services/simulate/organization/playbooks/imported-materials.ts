import { DAY, HOUR, MINUTE } from '../../../core/clock.ts';
import { kmsItself } from '../../callers.ts';
import { deleteImportedKeyMaterial, importKeyMaterial, serviceEvent } from '../../controls.ts';
import { materialAt } from '../../operations.ts';
import { parametersForImport } from '../../stories/imported.ts';
import type { SimKey } from '../../world.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, elsewhere, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';

/** Imported material goes at once, without a waiting time. */
export const materialRemoved: Playbook = playbook({
  id: 'imported-material-removed',
  about: 'The imported material of a key in use is taken away.',
  needs: ['imported'],
  days: 9,
  expects: ['imported-material-deleted', 'imported-material-expiring', 'imported-material-expired', 'ransom-sequence'],
  variants: {
    loud: {
      how: 'of every such key of the account, from a far network',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const caller = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        for (const [n, { key }] of t.keysFor('imported').entries()) {
          const time = t.at + n * 40_000;
          t.attack({ time, region: key.region }, caller, deleteImportedKeyMaterial(key, materialAt(key, time) ?? ''));
          restored(t, key, { from: time, to: t.at + 6 * HOUR + n * MINUTE });
        }
        return t.at;
      },
    },
    quiet: {
      how: 'of one key at the office',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.key('imported')];
        const time = t.office(person, 15);
        const caller = person.caller(t.account.id, time, 'console');
        const known = t.attack({ time, region: key.region }, caller, deleteImportedKeyMaterial(key, materialAt(key, time) ?? ''));
        restored(t, key, { from: time, to: time + 20 * HOUR });
        return known;
      },
    },
    evasive: {
      how: 'imported again in the change window so that it expires two days later by itself',
      tell: (t) => {
        const [{ key }, time] = [t.key('imported'), t.window()];
        const { region } = key;
        const caller = t.account.pipeline(time);
        const materialId = materialAt(key, time) ?? '';
        const expires = time + 2 * DAY;
        t.attack({ time: time - 4 * MINUTE, region }, caller, parametersForImport(key));
        const known = t.attack({ time, region }, caller, importKeyMaterial(key, { validTo: expires, materialId, first: false }));
        const details = { keyMaterialId: materialId };
        t.bystander({ time: expires + 30_000, region }, kmsItself(key.account), serviceEvent('DeleteExpiredKeyMaterial', key, details));
        restored(t, key, { from: expires + 30_000, to: expires + 12 * HOUR });
        return known;
      },
    },
  },
});

function restored(t: Telling, key: SimKey, span: { from: number; to: number }): void {
  t.breaks(key, { code: 'KMSInvalidStateException', what: 'is pending import', ...span });
  const rescuer = t.account.breakGlass(span.to);
  const materialId = materialAt(key, span.from) ?? '';
  t.bystander({ time: span.to - 5 * MINUTE, region: key.region }, rescuer, parametersForImport(key));
  t.bystander(
    { time: span.to, region: key.region },
    rescuer,
    importKeyMaterial(key, { validTo: span.to + 365 * DAY, materialId, first: false }),
  );
}
