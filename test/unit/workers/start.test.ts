import { expect, test } from 'vitest';
import { rolesOf } from '../../../services/workers/start.ts';

test('all stands for every role, whatever is named beside it; a role named twice starts once', () => {
  expect(rolesOf(['all'])).toEqual(['collect', 'ingest', 'detect', 'notify', 'api']);
  expect(rolesOf(['api', 'all'])).toEqual(rolesOf(['all']));
  expect(rolesOf(['api', 'ingest', 'api'])).toEqual(['ingest', 'api']);
});
