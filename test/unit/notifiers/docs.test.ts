/** docs/receivers.md says what is true. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { RECEIVER_KINDS, receiverSchema } from '../../../services/notifiers/registry.ts';

const text = readFileSync(new URL('../../../docs/receivers.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/^## (\w+)\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].flatMap(([, kind = '', section = '']) =>
  [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => [kind, yaml] as const),
);

test('every kind has a section with an example, and a line in the table', () => {
  expect(new Set(examples.map(([kind]) => kind))).toEqual(new Set(RECEIVER_KINDS));
  for (const kind of RECEIVER_KINDS) expect(text).toContain(`| \`${kind}\` |`);
});

test.each(examples)('the example of %s is a receiver of that kind', (kind, yaml) => {
  const written = parse(yaml) as Record<string, Record<string, unknown>>;
  // The files of an example exist on no machine; that they are read is tested elsewhere.
  const settings = Object.fromEntries(
    Object.entries(written[kind] ?? {}).map(([name, value]) =>
      name.endsWith('_file') ? [name.slice(0, -'_file'.length), sample(name)] : [name, value],
    ),
  );
  const checked = receiverSchema.safeParse({ ...written, [kind]: settings });
  expect(checked.error?.issues ?? []).toEqual([]);
});

function sample(name: string): string {
  return name === 'signing_secret_file' ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' : 'x';
}
