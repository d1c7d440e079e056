/** Plain JSON values: what may be stored in a `jsonb` column or printed by `--json`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

export type JsonObject = { readonly [key: string]: Json | undefined };
