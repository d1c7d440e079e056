import { describe, expect, it } from 'vitest';
import type { Fact, KeyFacts, KeyStateName } from '../../../services/core/key.ts';
import { stateOf } from '../../../services/keys/state.ts';

function fact<T>(value: T): Fact<T> {
  return { value, at: 0, origin: 'e' };
}

const PENDING = fact({ date: 1, windowDays: 7, waitsForReplicas: false });
const WAITING = fact({ date: null, windowDays: 7, waitsForReplicas: true });

describe('stateOf', () => {
  it.each<[string, KeyFacts, KeyStateName | null]>([
    ['nothing known', {}, null],
    ['only unrelated facts', { origin: fact('AWS_KMS'), deletion: fact(null) }, null],
    ['enabled', { enabled: fact(true) }, 'Enabled'],
    ['disabled', { enabled: fact(false) }, 'Disabled'],
    ['pending deletion before disabled', { enabled: fact(false), deletion: PENDING }, 'PendingDeletion'],
    ['pending deletion before pending import', { origin: fact('EXTERNAL'), material: fact(null), deletion: PENDING }, 'PendingDeletion'],
    ['waiting for replicas', { enabled: fact(true), deletion: WAITING }, 'PendingReplicaDeletion'],
    ['deletion cancelled', { enabled: fact(false), deletion: fact(null) }, 'Disabled'],
    ['deleted before everything', { enabled: fact(true), deletion: PENDING, deleted: fact(true as const) }, 'Deleted'],
    ['imported key without material', { origin: fact('EXTERNAL'), material: fact(null), enabled: fact(true) }, 'PendingImport'],
    ['imported key without material, never told enabled', { origin: fact('EXTERNAL'), material: fact(null) }, 'PendingImport'],
    [
      'imported key with material',
      { origin: fact('EXTERNAL'), material: fact({ validTo: null, materialId: null }), enabled: fact(true) },
      'Enabled',
    ],
    ['imported key of unknown material', { origin: fact('EXTERNAL'), enabled: fact(true) }, 'Enabled'],
    [
      'imported key with material, unknown whether enabled',
      { origin: fact('EXTERNAL'), material: fact({ validTo: null, materialId: null }) },
      null,
    ],
  ])('%s', (_, facts, expected) => {
    expect(stateOf(facts)).toBe(expected);
  });
});
