import type pg from 'pg';

/** Runs `work` in a transaction on a client of its own; rolls back and rethrows when it fails. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      // The connection is gone; the server has rolled back by itself. Do not reuse the client.
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
