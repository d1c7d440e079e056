import { fileURLToPath } from 'node:url';

/** Absolute path of the folder with the migrations. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
