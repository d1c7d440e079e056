import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What a service answers; the test server turns it into HTTP. */
export interface Answer {
  readonly status: number;
  readonly type: 'application/x-amz-json-1.1' | 'text/xml';
  readonly body: string;
  /** For the record: `ok`, or the error's name. */
  readonly outcome: string;
}

export function json(body: object): Answer {
  return { status: 200, type: 'application/x-amz-json-1.1', body: JSON.stringify(body), outcome: 'ok' };
}

/** An error of the JSON 1.1 protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export function jsonError(code: string, { message, status = 400 }: { readonly message: string; readonly status?: number }): Answer {
  return { status, type: 'application/x-amz-json-1.1', body: JSON.stringify({ __type: code, message }), outcome: code };
}

/** @param result inner XML of the result */
export function xml(operation: string, result: string): Answer {
  const body = `<${operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${operation}Response>`;
  return { status: 200, type: 'text/xml', body, outcome: 'ok' };
}

export function xmlError(code: string, { message, status = 400 }: { readonly message: string; readonly status?: number }): Answer {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`;
  return { status, type: 'text/xml', body, outcome: code };
}

export function send(response: ServerResponse, { status, type, body }: Answer): void {
  response
    .writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'x-amzn-requestid': randomUUID() })
    .end(body);
}
