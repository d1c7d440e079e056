/** Who may reach the pages: without authentication only this machine, under a name of this machine. */
import type { FastifyInstance } from 'fastify';
import { KmswatchError } from '../core/errors.ts';
import { parseListen } from '../platform/http/listen.ts';
import { problemBody } from './v1/problem.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** @throws KmswatchError CONFIG_INVALID for an address that others can reach while authentication is off */
export function checkExposure(listen: string, authentication: 'off' | 'token'): void {
  if (authentication === 'token' || isLoopback(parseListen(listen).host)) return;
  throw new KmswatchError('CONFIG_INVALID', `Others could reach ${listen}, and authentication is off.`, {
    hint: 'Listen on 127.0.0.1:8787, or set api.authentication: token and make tokens with "kmswatch token create".',
  });
}

/**
 * Without authentication a page in somebody's browser must not be able to ask in their name: a name that resolves to this machine
 * (DNS rebinding) is refused, and so is a request that another page sends.
 */
export function guardLocal(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const refused = refusal(request.headers.host, request.headers['sec-fetch-site']);
    if (refused !== null) {
      const body = problemBody('misdirected', refused);
      await reply.code(body.status).type('application/problem+json').send(JSON.stringify(body));
    }
  });
}

function refusal(host: string | undefined, site: string | string[] | undefined): string | null {
  const name = (host ?? '').replace(/:\d{1,5}$/, '').replace(/^\[|\]$/g, '');
  if (!isLoopback(name)) return 'Without authentication, this is only for names of this machine: localhost, 127.0.0.1, [::1].';
  if (site === 'cross-site' || site === 'same-site') return 'Without authentication, requests of other pages are refused.';
  return null;
}
