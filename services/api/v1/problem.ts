/** Errors of the API as Problem Details, RFC 9457. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ERRORS, KmswatchError } from '../../core/errors.ts';
import type { Logger } from '../../platform/logger.ts';

/** Closed list: `type` is `urn:kmswatch:problem:` and the code. */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request cannot be understood' },
  unauthorized: { status: 401, title: 'Authentication is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'Not possible as things stand' },
  misdirected: { status: 421, title: 'Asked under a wrong name' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'Cannot be answered at the moment' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export class Problem extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

export type ProblemBody = z.output<typeof problemSchema>;

export function problemBody(code: ProblemCode, detail: string, errors?: ProblemBody['errors']): ProblemBody {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:kmswatch:problem:${code}`, title, status, detail, ...(errors && { errors }) };
}

/** For `setErrorHandler`: what is expected is told, what is a bug goes to the log. */
export function problemHandler(logger: Logger) {
  return async (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const body = bodyOf(error);
    if (body.status >= 500) logger.error({ err: error, method: request.method, path: request.routeOptions.url }, 'request failed');
    if (body.status === 401) reply.header('www-authenticate', 'Bearer realm="kmswatch", Basic realm="kmswatch"');
    return await reply.code(body.status).type('application/problem+json').send(JSON.stringify(body));
  };
}

function bodyOf(error: FastifyError): ProblemBody {
  if (error instanceof Problem) return problemBody(error.code, error.message);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation
      .slice(0, 20)
      .map(({ instancePath, message }) => ({ path: instancePath, message: message ?? 'is not valid' }));
    return problemBody('invalid-request', 'Something in the request is not as it should be.', errors);
  }
  if (error instanceof KmswatchError) {
    const { status } = ERRORS[error.code];
    if (status < 500) return problemBody(status === 404 ? 'not-found' : 'invalid-request', error.message);
    return problemBody(status === 503 ? 'unavailable' : 'internal', status === 503 ? error.message : 'The log says more.');
  }
  const { statusCode = 500, message } = error;
  if (statusCode === 429) return problemBody('too-many-requests', message);
  if (statusCode >= 400 && statusCode < 500) return { ...problemBody('invalid-request', message), status: statusCode };
  const { code } = error as { code?: string };
  // PostgreSQL's word for text that it cannot hold: NUL, and escapes of it.
  if (code === '22021' || code === '22P05') return problemBody('invalid-request', 'The request holds characters that no name has.');
  // A statement that was cut off: the question was too wide, and asking again would not help.
  if (code === '57014') return problemBody('unavailable', 'The database took too long: ask for a shorter time or fewer things.');
  return problemBody('internal', 'The log says more.');
}
