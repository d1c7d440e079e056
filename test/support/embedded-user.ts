/** A process that uses the embedded Postgres of a data directory until its standard input ends. */
import { openPostgres } from '../../services/platform/embedded.ts';
import { createLogger } from '../../services/platform/logger.ts';

if (import.meta.main) {
  const server = await openPostgres({ dataDir: process.argv[2] ?? '', logger: createLogger('warn') });
  process.stdout.write(`${server.url}\n`);
  process.stdin.resume();
  process.stdin.on('end', () => void server.close());
}
