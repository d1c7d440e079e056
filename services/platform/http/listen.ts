import { KmswatchError } from '../../core/errors.ts';

/** What `HOST:PORT` looks like; an IPv6 host in brackets, no host = all addresses. */
export const LISTEN_ADDRESS = /^(\[[0-9a-fA-F:.]{2,45}\]|[^\s:/[\]]{1,253})?:(\d{1,5})$/;

/** @throws KmswatchError CONFIG_INVALID */
export function parseListen(address: string): { readonly host: string; readonly port: number } {
  const [, host, port] = LISTEN_ADDRESS.exec(address) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new KmswatchError('CONFIG_INVALID', `${JSON.stringify(address)} is no address to listen on.`, {
      hint: 'Write HOST:PORT, as in 127.0.0.1:8787 or [::1]:8787.',
    });
  }
  return { host: host?.replace(/^\[|\]$/g, '') ?? '0.0.0.0', port: Number(port) };
}
