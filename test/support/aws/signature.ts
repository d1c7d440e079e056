import type { IncomingMessage } from 'node:http';

export interface Scope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

/** What a SigV4 `Authorization` header says of who calls whom where; the signature itself is not checked. */
export function scopeOf(request: IncomingMessage): Scope | null {
  const match = /Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/([^/,\s]+)\/aws4_request/.exec(request.headers.authorization ?? '');
  const [, accessKeyId = '', region = '', service = ''] = match ?? [];
  return match ? { accessKeyId, region, service } : null;
}
