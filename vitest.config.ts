import { defineConfig } from 'vitest/config';

/** Tests that need Postgres or Redis; everything else under test/ runs without any server. */
const WITH_SERVERS = ['test/{integration,scenarios,faults}/**/*.test.ts', 'test/contracts/{queues,sources}*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{unit,properties,contracts,corpus}/**/*.test.ts'],
          exclude: WITH_SERVERS,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: WITH_SERVERS,
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
