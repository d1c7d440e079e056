/** The questions that the list of findings is asked. */
import type pg from 'pg';

export interface Shape {
  readonly name: string;
  readonly path: string;
}

/** Keys and second pages of which many are asked, so that not always the same rows are read. */
const VARIANTS = 50;

/** In turn: first pages, pages by severity, detector, status and key, second pages and deep ones. */
export async function shapesOf(pool: pg.Pool, ask: (path: string) => Promise<{ next: string | null }>): Promise<Shape[]> {
  const { rows: keys } = await pool.query<{ arn: string }>(
    'SELECT DISTINCT key_arn AS arn FROM finding WHERE key_arn IS NOT NULL ORDER BY 1 LIMIT $1',
    [VARIANTS],
  );
  const { rows: detectors } = await pool.query<{ id: string }>('SELECT DISTINCT detector AS id FROM finding ORDER BY 1');
  const severities = ['critical', 'high', 'medium', 'low'];
  const firsts = ['', ...severities.map((severity) => `severity=${severity}`)];
  const nexts = await Promise.all(firsts.map(async (query) => `${query}&cursor=${(await ask(`/api/v1/findings?${query}`)).next}`));
  const shapes: Shape[] = [];
  for (let n = 0; n < VARIANTS; n++) {
    const of = <T>(list: readonly T[]): T => list[n % list.length] as T;
    const deep = [1, 1 + (n % 4), Date.now() - n * 86_400_000, ''];
    shapes.push(
      { name: 'first page', path: '' },
      { name: 'one severity', path: `severity=${of(severities)}` },
      { name: 'one detector', path: `detector=${of(detectors).id}` },
      { name: 'second page', path: of(nexts) },
      { name: 'one key', path: `key_arn=${encodeURIComponent(of(keys).arn)}` },
      { name: 'one status', path: `status=${of(['open', 'acknowledged', 'resolved', 'suppressed'])}` },
      { name: 'deep page', path: `cursor=${Buffer.from(JSON.stringify(deep)).toString('base64url')}` },
    );
  }
  return shapes.map(({ name, path }) => ({ name, path: `/api/v1/findings?${path}` }));
}
