/**
 * The way to Postgres. Time zone UTC throughout; values come back as:
 *
 * | Postgres | JavaScript |
 * |---|---|
 * | `timestamptz`, `timestamp` | number: epoch milliseconds, microseconds cut off; `infinity` → Infinity |
 * | `int8` (and so `count(*)`) | number; beyond 2^53 an error rather than a wrong number |
 * | `numeric` (and so `sum(int8)`) | string, exact: cast in SQL where a number is wanted |
 * | `date` | text, `YYYY-MM-DD` |
 * | `bytea` | Buffer |
 * | `jsonb`, `json` | the value |
 *
 * Times go in as `Date` or ISO text. The parsers belong to our pools only; other users of `pg` keep theirs.
 */
import { Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolConfig, types } from 'pg';
import { databaseError, databaseTooOld } from './postgres/errors.ts';
import { parseInt8, parseTimestamp } from './postgres/parse.ts';
import type { Logger } from './logger.ts';

export interface ConnectOptions {
  readonly url: string;
  /**
   * Role to work as, where it exists and the login may become it; otherwise the login itself.
   * `Connection.role` says which it is.
   */
  readonly role?: string;
  /** Connections at most. */
  readonly max: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** A statement that takes longer is cancelled, milliseconds; default one minute. 0 = never. */
  readonly statementTimeoutMs?: number;
  readonly logger?: Logger;
}

export interface Connection<T> {
  readonly pool: Pool;
  readonly db: Kysely<T>;
  /** The role that statements run as. */
  readonly role: string;
  close(): Promise<void>;
}

const OLDEST_VERSION = 140_000;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** A transaction whose client has stalled lets go of its locks. */
const IDLE_IN_TRANSACTION_MS = 300_000;

/**
 * Opens a pool and tries it.
 *
 * @throws KmswatchError DATABASE_UNREACHABLE, DATABASE_TOO_OLD
 */
export async function connect<T>(options: ConnectOptions): Promise<Connection<T>> {
  const standing = await inspect(options);
  const role = standing.mayBecome ? (options.role ?? standing.login) : standing.login;
  const pool = createPool(options, role === standing.login ? '-c timezone=UTC' : `-c timezone=UTC -c role=${role}`);
  const db = new Kysely<T>({ dialect: new PostgresDialect({ pool }) });
  let closing: Promise<void> | undefined;
  return {
    pool,
    db,
    role,
    close: () => {
      // Kysely ends the pool only when it has been used through Kysely.
      closing ??= db.destroy().then(() => (pool.ending ? undefined : pool.end()));
      return closing;
    },
  };
}

interface Standing {
  readonly login: string;
  readonly mayBecome: boolean;
}

/** Who we are there, and whether we may become the role asked for. */
async function inspect(options: ConnectOptions): Promise<Standing> {
  const pool = createPool({ ...options, max: 1 }, '-c timezone=UTC');
  try {
    const { rows } = await pool.query<{ version: number; login: string }>(
      `SELECT current_setting('server_version_num')::int AS version, session_user::text AS login`,
    );
    const [{ version, login } = { version: 0, login: '' }] = rows;
    if (version < OLDEST_VERSION) throw databaseTooOld(version);
    if (options.role === undefined || !/^\w{1,63}$/.test(options.role)) return { login, mayBecome: false };
    // Before 16 being a member was enough to become a role.
    const right = version >= 160_000 ? 'SET' : 'MEMBER';
    const member = await pool.query(`SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(session_user, oid, $2)`, [
      options.role,
      right,
    ]);
    return { login, mayBecome: member.rowCount === 1 };
  } catch (error) {
    throw databaseError(error, options.url);
  } finally {
    await pool.end().catch(() => undefined);
  }
}

function createPool(options: ConnectOptions, startup: string): Pool {
  const { url, max, applicationName, statementTimeoutMs = STATEMENT_TIMEOUT_MS, logger } = options;
  const config: PoolConfig = {
    connectionString: url,
    max,
    application_name: applicationName,
    options: startup,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // The server cancels; the client's own limit is for a server that has gone silent.
    ...(statementTimeoutMs > 0 && { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + 5_000 }),
    types: { getTypeParser: parserOf },
  };
  let pool: Pool;
  try {
    pool = new Pool(config);
  } catch (error) {
    throw databaseError(error, url);
  }
  // An idle connection that drops is replaced at the next query; unheard, the event would end the process.
  pool.on('error', (err) => logger?.warn({ err }, 'lost an idle database connection'));
  // So would that of a connection in use, between two of its statements; whoever uses it learns it from the next one.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

type Parser = (value: string) => unknown;

const OWN_PARSERS = new Map<number, Parser>([
  [types.builtins.INT8, parseInt8],
  [types.builtins.TIMESTAMPTZ, parseTimestamp],
  [types.builtins.TIMESTAMP, parseTimestamp],
  [types.builtins.DATE, (text) => text],
  [1016, arrayOf(parseInt8)],
  [1185, arrayOf(parseTimestamp)],
  [1115, arrayOf(parseTimestamp)],
  [1182, arrayOf((text) => text)],
]);

function parserOf(oid: number, format?: 'text' | 'binary'): Parser {
  const own = format === 'binary' ? undefined : OWN_PARSERS.get(oid);
  return own ?? (types.getTypeParser(oid, format ?? 'text') as Parser);
}

/** By way of the parser of `text[]`, which knows quoting, nesting and NULL. */
function arrayOf(parse: Parser): Parser {
  const TEXT_ARRAY: number = 1009;
  const split = types.getTypeParser(TEXT_ARRAY, 'text') as Parser;
  const convert = (entry: unknown): unknown =>
    Array.isArray(entry) ? entry.map(convert) : typeof entry === 'string' ? parse(entry) : null;
  return (text) => convert(split(text));
}
