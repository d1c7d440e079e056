/** Parts of the service that can be a process of their own; `all` stands for every other. */
export const ROLES = ['all', 'collect', 'ingest', 'detect', 'notify', 'api'] as const;

export type RoleName = (typeof ROLES)[number];
