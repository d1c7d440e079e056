/**
 * Secrets come as a value or as the name of a file that holds it (`redis_url` or `redis_url_file`), never as both.
 * A file is read once, at start; a trailing line break is not part of the secret.
 */
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';

const LIMIT_BYTES = 65_536;

export type SecretShape<N extends string> = { [K in N]: z.ZodOptional<z.ZodString> } & { [K in `${N}_file`]: z.ZodOptional<z.ZodString> };

export interface SecretDescription {
  /** One sentence. */
  readonly description: string;
  /** Environment variable of the value; the file's is the same with `_FILE`. */
  readonly env?: string;
  readonly example?: string;
}

/** The two fields of a secret, to be spread into an object schema. */
export function secret<const N extends string>(name: N, { description, env, example }: SecretDescription): SecretShape<N> {
  const value = z
    .string()
    .min(1)
    .optional()
    .meta({
      description,
      secret: true,
      ...(env && { env }),
      ...(example && { examples: [example] }),
    });
  const file = z
    .string()
    .min(1)
    .optional()
    .meta({
      description: `File that holds \`${name}\`, instead of the value itself.`,
      secretFile: true,
      ...(env && { env: `${env}_FILE` }),
    });
  return { [name]: value, [`${name}_file`]: file } as SecretShape<N>;
}

/** What the file holds, or why it cannot be used, in words. */
export function readSecretFile(path: string): { readonly value: string } | { readonly problem: string } {
  try {
    const { size } = statSync(path);
    if (size > LIMIT_BYTES) return { problem: `${path} is larger than a secret can be (${LIMIT_BYTES} bytes)` };
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return value === '' ? { problem: `${path} is empty` } : { value };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
