import { type DestinationStream, destination, type Logger as PinoLogger, pino, stdSerializers } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export type Logger = PinoLogger;

/** Names under which something secret may be logged by mistake, at the top and one level down. */
const SECRET_NAMES = ['password', 'secret', 'token', 'authorization', 'cookie', 'apiKey', 'encryptionContext'];
const URL_NAMES = ['url', 'databaseUrl', 'database_url', 'redisUrl', 'redis_url', 'connectionString'];
const CREDENTIALS = /(\w:\/\/[^\s/:@]{0,256}):[^\s/]{1,1024}@/g;

/**
 * JSON lines on standard error: standard output belongs to what a command was asked for. Written at once, so that the
 * last line before a crash is there.
 *
 * @param stream where lines go instead, in tests
 */
export function createLogger(level: LogLevel, stream: DestinationStream = destination({ fd: 2, sync: true })): Logger {
  const censored = [...SECRET_NAMES, ...URL_NAMES];
  return pino(
    {
      level,
      base: undefined,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [...censored, ...censored.map((name) => `*.${name}`)],
        censor: (value, path) =>
          URL_NAMES.includes(path.at(-1) ?? '') && typeof value === 'string' ? withoutCredentials(value) : '[secret]',
      },
      serializers: { err: serializeError, error: serializeError },
      hooks: {
        logMethod(args, method) {
          const clean = args.map((argument: unknown) => (typeof argument === 'string' ? withoutCredentials(argument) : argument));
          method.apply(this, clean as Parameters<typeof method>);
        },
      },
    },
    stream,
  );
}

/** The text with the passwords of URLs in it taken out: `postgres://user:***@host/db`. */
export function withoutCredentials(text: string): string {
  return text.includes('://') ? text.replace(CREDENTIALS, '$1:***@') : text;
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack, code } = stdSerializers.err(error) as { type: string; message: string; stack: string; code?: unknown };
  return { type, code, message: withoutCredentials(message), stack: withoutCredentials(stack) };
}
