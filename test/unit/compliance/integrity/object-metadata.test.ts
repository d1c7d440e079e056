import { expect, test } from 'vitest';
import { parseManifest } from '../../../../services/compliance/integrity/object-metadata.ts';

test('metadata is taken in every form in which AWS tells it, and names of its own do no harm', () => {
  const wanted = { signature: '0f', algorithm: 'SHA256withRSA', backfillGenerated: null };
  const manifest = parseManifest(
    JSON.parse(`{
      "a/b": {"signature": "0f", "signature-algorithm": "SHA256withRSA"},
      "s3://bucket/c": {"x-amz-meta-signature": "0f", "X-Amz-Meta-Signature-Algorithm": "SHA256withRSA"},
      "d": {"ETag": "x", "Metadata": {"signature": "0f", "signature-algorithm": "SHA256withRSA"}},
      "e": {"backfill-generation-timestamp": 1690000000},
      "__proto__": {"signature": ["0f"]}
    }`),
    'manifest.json',
  );
  expect(['a/b', 'c', 'd'].map((key) => manifest.get(key))).toEqual([wanted, wanted, wanted]);
  expect(manifest.get('e')).toEqual({ signature: null, algorithm: null, backfillGenerated: '1690000000' });
  expect(manifest.get('__proto__')?.signature).toBeNull();
});

test.each([[null], [[]], ['text'], [{ key: 'signature' }], [{ key: null }], [{ key: [] }]])('%j is no manifest', (document) => {
  expect(() => parseManifest(document, 'manifest.json')).toThrow(/manifest\.json cannot be used as manifest/);
});
