/** The plain way: one `jsonb` row a record, one statement a file; over as many connections as the second argument says. */
import { connect } from '../../services/platform/postgres.ts';
import { textArray } from '../../services/store/array.ts';
import { DATABASE_URL, databaseSize, eachFile, print, watchMemory } from './measure.ts';

const LANES = Number(process.argv[3] ?? 1);
const peak = watchMemory();
const { pool, close } = await connect<unknown>({ url: DATABASE_URL, max: LANES, applicationName: 'bench plain' });
await pool.query('CREATE TABLE record (event_id text PRIMARY KEY, event_time timestamptz NOT NULL, record jsonb NOT NULL)');
await pool.query('CREATE INDEX ON record (event_time)');
const before = await databaseSize(pool);
const began = performance.now();
const events = await eachFile(LANES, async (records) => {
  await pool.query({
    name: 'insert',
    text: 'INSERT INTO record SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::jsonb[]) ON CONFLICT DO NOTHING',
    values: [
      textArray(records.map((record) => String(record['eventID']))),
      textArray(records.map((record) => String(record['eventTime']))),
      textArray(records.map((record) => JSON.stringify(record))),
    ],
  });
});
const ms = performance.now() - began;
print({ events, ms, rss_mb: peak(), bytes: (await databaseSize(pool)) - before });
await close();
