/** A secret of a receiver: whatever prints, logs, clones or serializes it shows that there is one, and nothing of it. */
import { inspect } from 'node:util';
import type { z } from 'zod';
import { readSecretFile, type SecretDescription, type SecretShape, secret } from '../platform/secrets.ts';

const SHOWN = '[secret]';

export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** The two fields of a secret, `name` and `name_file`, for a schema that ends in `openSecrets`. */
export function secretFields<const N extends string>(name: N, description: SecretDescription): SecretShape<N> {
  return secret(name, description);
}

/** What settings are once their secrets are opened: `name` holds a `SecretValue` or nothing, `name_file` is gone. */
export type Opened<S, N extends string> = Omit<S, N | `${N}_file`> & { readonly [K in N]?: SecretValue };

/**
 * For `transform`: puts the secrets of these names in the place of text and of names of files. Receivers stand in a list, which the loading
 * of the configuration does not look into for files of secrets.
 *
 * @param required names of which the settings must hold one
 */
export function openSecrets<S extends object, const N extends string>(names: readonly N[], required: readonly N[] = []) {
  return (settings: S, context: z.core.$RefinementCtx): Opened<S, N> => {
    const opened = new Map<string, unknown>(Object.entries(settings));
    for (const name of names) {
      const given = opened.get(name);
      const file = opened.get(`${name}_file`);
      opened.delete(`${name}_file`);
      opened.delete(name);
      if (given !== undefined && file !== undefined) complain(context, [`${name}_file`], `and ${name} are both set; set one of them`);
      else if (typeof given === 'string') opened.set(name, new SecretValue(given));
      else if (typeof file === 'string') {
        const read = readSecretFile(file);
        if ('problem' in read) complain(context, [`${name}_file`], `cannot be used: ${read.problem}`);
        else opened.set(name, new SecretValue(read.value));
      }
    }
    const isGiven =
      required.length === 0 || required.some((name) => Object.hasOwn(settings, name) || Object.hasOwn(settings, `${name}_file`));
    if (!isGiven)
      complain(context, [required[0] ?? ''], `is missing; set ${required.flatMap((name) => [name, `${name}_file`]).join(' or ')}`);
    return Object.fromEntries(opened) as Opened<S, N>;
  };
}

function complain(context: z.core.$RefinementCtx, path: PropertyKey[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

/** Every secret in settings, for taking them out of texts that are not ours. */
export function secretsIn(settings: object): string[] {
  return Object.values(settings).flatMap((value) => (value instanceof SecretValue ? [value.reveal()] : []));
}
