import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import { expect, test } from 'vitest';
import { migrate } from '../../services/platform/migrate.ts';
import { connect } from '../../services/platform/postgres.ts';
import { testDatabase } from '../support/postgres.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

test('events that were stored before ways of calling had their own table keep all they say, and are counted by it', async () => {
  await using database = await testDatabase({ migrated: false });
  const { db, pool, close } = await connect<unknown>({ url: database.url, max: 2, applicationName: 'migrate' });
  try {
    const migrator = new Migrator({
      db,
      provider: new FileMigrationProvider({ fs, path, migrationFolder: FOLDER, import: (file) => import(file) }),
    });
    expect((await migrator.migrateTo('0012_add_views')).error).toBeUndefined();
    await pool.query(`
      INSERT INTO term (kind, value) VALUES (1, '111122223333'), (2, 'eu-west-1'), (3, 'kms:Decrypt'), (3, 'kms:DisableKey'), (7, '10.0.0.0/8'), (11, 'a,b');
      INSERT INTO kms_key (arn, kind, account, region, name) VALUES ('arn:1', 'key', '111122223333', 'eu-west-1', '1');
      INSERT INTO actor (principal, type, name) VALUES ('alice', 'user', 'alice');
      SELECT ensure_event_partition('2026-03-01'), ensure_event_partition('2026-04-01');
      INSERT INTO event (event_time, event_id, essence, account_id, region_id, batch_id, ordinal, operation_id, actor_id, flags, operation_class, outcome, key_id,
        network_id, context_id)
      VALUES
        ('2026-03-01T10:00:00Z', '11111111-1111-4111-8111-111111111111', 'ffffffff-ffff-ffff-0000-000000000000', 1, 2, 1, 0, 3, 1, 3, 0, 0, 1, 5, 6),
        ('2026-03-01T10:30:00Z', '22222222-2222-4222-8222-222222222222', '00000000-0000-0001-0000-000000000000', 1, 2, 1, 1, 3, 1, 3, 0, 0, 1, 5, 6),
        ('2026-04-01T10:00:00Z', '33333333-3333-4333-8333-333333333333', '00000000-0000-0002-0000-000000000000', 1, 2, 2, 0, 4, 1, 28, 3, 1, 1, NULL, NULL);
      INSERT INTO observation VALUES (3, 0, '2026-03-01T10:00:00Z', '11111111-1111-4111-8111-111111111111', 'ffffffff-ffff-ffff-0000-000000000000', 1, 2)`);

    expect((await migrate(db, FOLDER)).applied).toContain('0013_tell_events_by_profile');

    const terms = ['account', 'region', 'operation', 'network', 'context'].map(
      (name) => `(SELECT value FROM term WHERE id = e.${name}_id) AS ${name}`,
    );
    const { rows: events } = await pool.query(
      `SELECT ordinal, ${terms.join(', ')}, operation_class, outcome, (flags & 512) = 512 AS control, lpad(to_hex(essence), 16, '0') AS essence
       FROM event_call e ORDER BY event_time`,
    );
    const use = {
      account: '111122223333',
      region: 'eu-west-1',
      operation: 'kms:Decrypt',
      network: '10.0.0.0/8',
      context: 'a,b',
      operation_class: 0,
    };
    expect(events).toEqual([
      { ...use, ordinal: 0, outcome: 0, control: false, essence: 'ffffffffffffffff' },
      { ...use, ordinal: 1, outcome: 0, control: false, essence: '0000000000000001' },
      {
        ...use,
        ordinal: 0,
        operation: 'kms:DisableKey',
        network: null,
        context: null,
        operation_class: 3,
        outcome: 1,
        control: true,
        essence: '0000000000000002',
      },
    ]);
    const { rows: sessions } = await pool.query(
      'SELECT p.session FROM event e JOIN call_profile p ON p.id = e.profile_id ORDER BY event_time',
    );
    expect(sessions).toEqual([{ session: 0 }, { session: 0 }, { session: 7 }]);
    const { rows: hours } = await pool.query('SELECT hour, operation_class, outcome, count, first_event FROM activity_call ORDER BY hour');
    expect(hours).toEqual([
      { hour: Date.parse('2026-03-01T10:00:00Z'), operation_class: 0, outcome: 0, count: 2, first_event: null },
      {
        hour: Date.parse('2026-04-01T10:00:00Z'),
        operation_class: 3,
        outcome: 1,
        count: 1,
        first_event: '33333333-3333-4333-8333-333333333333',
      },
    ]);
    const { rows: seen } = await pool.query(
      'SELECT count(*)::int AS n FROM observation o JOIN event e USING (event_id, essence, event_time)',
    );
    expect(seen).toEqual([{ n: 1 }]);
  } finally {
    await close();
  }
});
