import { describe, expect, it } from 'vitest';
import { DAY } from '../../../services/core/clock.ts';
import type { Fact, KeyFacts } from '../../../services/core/key.ts';
import { foldTimeline } from '../../../services/keys/reduce.ts';
import { type RotationStanding, rotationOf, rotationStanding } from '../../../services/keys/rotation.ts';
import { KEY, PRIMARY, stored, tell } from './fabricate.ts';

function fact<T>(value: T, at = 0): Fact<T> {
  return { value, at, origin: 'e' };
}

const ELIGIBLE: KeyFacts = {
  manager: fact('CUSTOMER'),
  keySpec: fact('SYMMETRIC_DEFAULT'),
  keyUsage: fact('ENCRYPT_DECRYPT'),
  origin: fact('AWS_KMS'),
  multiRegion: fact(false),
  enabled: fact(true),
};

/** Every value a fact can have that matters, and whether it allows (true), forbids (false) or leaves open (null) automatic rotation. */
const TABLE: readonly (readonly (readonly [KeyFacts, boolean | null])[])[] = [
  [
    [{ manager: fact('CUSTOMER') }, true],
    [{ manager: fact('AWS') }, false],
    [{}, null],
    [{ manager: fact('PARTNER') }, null],
  ],
  [
    [{ keySpec: fact('SYMMETRIC_DEFAULT') }, true],
    [{ keySpec: fact('RSA_4096') }, false],
    [{ keySpec: fact('ECC_NIST_EDWARDS25519') }, false],
    [{ keySpec: fact('ML_DSA_65') }, false],
    [{ keySpec: fact('HMAC_256') }, false],
    [{ keySpec: fact('SM2') }, false],
    [{}, null],
  ],
  [
    [{ keyUsage: fact('ENCRYPT_DECRYPT') }, true],
    [{}, true],
    [{ keyUsage: fact('SIGN_VERIFY') }, false],
    [{ keyUsage: fact('GENERATE_VERIFY_MAC') }, false],
    [{ keyUsage: fact('KEY_AGREEMENT') }, false],
    [{ keyUsage: fact('ENCAPSULATE_DECAPSULATE') }, false],
  ],
  [
    [{ origin: fact('AWS_KMS') }, true],
    [{ origin: fact('EXTERNAL'), material: fact({ validTo: null, materialId: null }) }, false],
    [{ origin: fact('EXTERNAL'), material: fact(null) }, false],
    [{ origin: fact('AWS_CLOUDHSM') }, false],
    [{ origin: fact('EXTERNAL_KEY_STORE') }, false],
    [{ customKeyStoreId: fact('cks-1') }, false],
    [{}, null],
    [{ origin: fact('SOMETHING_NEW') }, null],
  ],
  [
    [{ multiRegion: fact(false) }, true],
    [{}, true],
    [{ multiRegion: fact(true), multiRegionKeyType: fact('PRIMARY') }, true],
    [{ multiRegion: fact(true), multiRegionKeyType: fact('REPLICA') }, false],
    [{ multiRegionKeyType: fact('REPLICA') }, false],
    [{ multiRegion: fact(true) }, null],
  ],
  [
    [{ enabled: fact(true) }, true],
    [{}, true],
    [{ enabled: fact(true), deletion: fact(null) }, true],
    [{ enabled: fact(false) }, false],
    [{ enabled: fact(true), deletion: fact({ date: 1, windowDays: 7, waitsForReplicas: false }) }, false],
    [{ enabled: fact(true), deletion: fact({ date: null, windowDays: 7, waitsForReplicas: true }) }, false],
    [{ enabled: fact(true), deleted: fact(true as const) }, false],
  ],
];

function combinations(columns: typeof TABLE): (readonly [KeyFacts, boolean | null])[] {
  return columns.reduce<(readonly [KeyFacts, boolean | null])[]>(
    (rows, column) =>
      rows.flatMap(([facts, verdict]) =>
        column.map(
          ([more, word]) =>
            [{ ...facts, ...more }, verdict === false || word === false ? false : verdict === null || word === null ? null : true] as const,
        ),
      ),
    [[{}, true]],
  );
}

describe('rotation eligibility', () => {
  it('is no as soon as one fact forbids it, yes only when every needed fact allows it, else unknown: all combinations', () => {
    const rows = combinations(TABLE);
    expect(rows.length).toBe(4 * 7 * 6 * 8 * 6 * 7);
    const wrong = rows.filter(([facts, verdict]) => rotationOf(facts).eligible !== verdict);
    expect(wrong).toEqual([]);
    expect(rows.filter(([facts]) => rotationOf(facts).reason.length < 10)).toEqual([]);
  });

  it.each<[string, KeyFacts, RegExp]>([
    ['deleted', { ...ELIGIBLE, deleted: fact(true as const) }, /deleted/],
    ['pending deletion', { ...ELIGIBLE, deletion: fact({ date: 1, windowDays: 7, waitsForReplicas: false }) }, /pending deletion/],
    ['disabled', { ...ELIGIBLE, enabled: fact(false) }, /disabled/],
    ['AWS managed', { ...ELIGIBLE, manager: fact('AWS') }, /every year, which cannot be configured/],
    ['HMAC', { ...ELIGIBLE, keySpec: fact('HMAC_512') }, /HMAC.*by hand/],
    ['asymmetric', { ...ELIGIBLE, keySpec: fact('ECC_NIST_P256') }, /asymmetric.*by hand/],
    ['imported', { ...ELIGIBLE, origin: fact('EXTERNAL') }, /on demand only/],
    ['CloudHSM', { ...ELIGIBLE, origin: fact('AWS_CLOUDHSM') }, /custom key store.*by hand/],
    ['replica', { ...ELIGIBLE, multiRegion: fact(true), multiRegionKeyType: fact('REPLICA') }, /primary/],
    ['unknown manager', { ...ELIGIBLE, manager: undefined }, /who manages the key is not known/],
    ['unknown spec', { ...ELIGIBLE, keySpec: undefined }, /key spec is not known/],
    ['unknown origin', { ...ELIGIBLE, origin: undefined }, /origin .* is not known/],
    ['unknown role', { ...ELIGIBLE, multiRegion: fact(true) }, /primary is not known/],
    ['eligible', ELIGIBLE, /symmetric customer managed key/],
  ])('says why: %s', (_, facts, reason) => {
    expect(rotationOf(facts).reason).toMatch(reason);
  });

  it('an alias under alias/aws/ shows an AWS managed key, one that only looks like it does not', () => {
    expect(rotationOf(ELIGIBLE, ['alias/orders', 'alias/aws/ebs']).eligible).toBe(false);
    expect(rotationOf(ELIGIBLE, ['alias/aws-orders', 'alias/my/aws/key']).eligible).toBe(true);
  });

  it.each([
    ['EnableKeyRotation', true],
    ['DisableKeyRotation', true],
    ['RotateKeyOnDemand', null],
    ['RotateKey', null],
    ['EnableKey', null],
  ])('a lone successful %s leaves eligibility at %s', (operation, eligible) => {
    const facts = foldTimeline([stored(tell(operation, { at: 0 }))], KEY).at(-1)?.after ?? {};
    expect(rotationOf(facts).eligible).toBe(eligible);
  });

  it('a failed EnableKeyRotation proves nothing', () => {
    const facts = foldTimeline([stored(tell('EnableKeyRotation', { at: 0, outcome: 'other' }))], KEY).at(-1)?.after ?? {};
    expect(rotationOf(facts).eligible).toBeNull();
  });

  it('of a multi-Region key follows its role when the primary moves', () => {
    const events = [
      tell('EnableKeyRotation', { at: 0, key: PRIMARY }),
      tell('UpdatePrimaryRegion', { at: 1000, key: PRIMARY, detail: { primaryRegion: 'us-east-1' } }),
    ];
    expect(foldTimeline(events.map(stored), PRIMARY).map(({ after }) => rotationOf(after).eligible)).toEqual([true, false]);
  });
});

describe('rotation standing', () => {
  const NOW = 1_000 * DAY;
  const POLICY = { maxAgeDays: 365, graceDays: 7 };
  const aged = (days: number, enabled?: boolean): KeyFacts => ({
    ...ELIGIBLE,
    lastRotated: fact(NOW - days * DAY),
    ...(enabled === undefined ? {} : { rotationEnabled: fact(enabled) }),
  });

  it.each<[string, KeyFacts, RotationStanding]>([
    ['on and young', aged(10, true), 'compliant'],
    ['on and at the very end of the grace', aged(372, true), 'compliant'],
    ['on and one day beyond it', aged(373, true), 'overdue'],
    ['off and young', aged(10, false), 'disabled'],
    ['off and too old', aged(400, false), 'overdue'],
    ['off, age unknown', { ...ELIGIBLE, rotationEnabled: fact(false) }, 'disabled'],
    ['on, age unknown: no pass', { ...ELIGIBLE, rotationEnabled: fact(true) }, 'unknown'],
    ['young, unknown whether on: no pass', aged(10), 'unknown'],
    ['too old, unknown whether on', aged(400), 'overdue'],
    ['not eligible', { ...aged(4000, false), keySpec: fact('RSA_2048') }, 'not-applicable'],
    ['disabled key', { ...aged(4000, false), enabled: fact(false) }, 'not-applicable'],
    ['eligibility unknown', { ...aged(4000, false), origin: undefined }, 'unknown'],
    ['nothing known', {}, 'unknown'],
  ])('%s', (_, facts, standing) => {
    expect(rotationStanding(facts, NOW, POLICY)).toBe(standing);
  });
});
