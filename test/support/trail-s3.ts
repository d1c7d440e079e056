import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bucket } from './digest-chain.ts';

/** The part of S3 that reads a trail's bucket: ListObjectsV2 and GetObject over REST, for the unmodified SDK. */
export interface TrailS3 extends AsyncDisposable {
  readonly url: string;
  /** What was asked for, in order: `LIST prefix` and `GET key`. */
  readonly requests: string[];
  /** Says whether a request is refused; the same words as in `requests`. */
  denies: (request: string) => boolean;
}

/** Serves the bucket as it is at the moment of each request. */
export async function startTrailS3(bucket: Bucket, { pageSize = 1000 }: { readonly pageSize?: number } = {}): Promise<TrailS3> {
  const http = createServer((request, response) => serve(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const s3: TrailS3 = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests: [],
    denies: () => false,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return s3;

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://s3');
    const [, name = '', ...rest] = url.pathname.split('/');
    const key = rest.map(decodeURIComponent).join('/');
    const isList = url.searchParams.get('list-type') === '2';
    const asked = isList ? `LIST ${url.searchParams.get('prefix') ?? ''}` : `GET ${key}`;
    s3.requests.push(asked);
    if (s3.denies(asked)) return fail(response, 403, 'AccessDenied');
    if (name !== bucket.name) return fail(response, 404, 'NoSuchBucket');
    if (isList) return list(url.searchParams, response);
    get(key, response);
  }

  function get(key: string, response: ServerResponse): void {
    const body = bucket.objects.get(key);
    if (!body) return fail(response, 404, 'NoSuchKey');
    for (const [name, value] of Object.entries(bucket.metadata.get(key) ?? {})) response.setHeader(`x-amz-meta-${name}`, value);
    response.writeHead(200, { 'content-length': body.length, etag: etagOf(body) });
    response.end(body);
  }

  function list(query: URLSearchParams, response: ServerResponse): void {
    const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
    const token = query.get('continuation-token');
    const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
    const encode = (text: string): string =>
      query.get('encoding-type') === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+') : text;
    const entries = new Map<string, string>();
    for (const key of [...bucket.objects.keys()].filter((each) => each.startsWith(prefix)).toSorted()) {
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      const name = end < 0 ? key : key.slice(0, end + delimiter.length);
      if (name <= after) continue;
      entries.set(
        name,
        end < 0
          ? `<Contents><Key>${encode(key)}</Key><ETag>&quot;${etagOf(bucket.objects.get(key) as Buffer).slice(1, -1)}&quot;</ETag></Contents>`
          : `<CommonPrefixes><Prefix>${encode(name)}</Prefix></CommonPrefixes>`,
      );
    }
    const page = [...entries].slice(0, pageSize);
    const next = page.at(-1)?.[0] ?? '';
    const more =
      entries.size > page.length ? `<NextContinuationToken>${Buffer.from(next).toString('base64url')}</NextContinuationToken>` : '';
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType><IsTruncated>${more !== ''}</IsTruncated>${more}${page.map(([, xml]) => xml).join('')}</ListBucketResult>`,
    );
  }
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
