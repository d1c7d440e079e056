/** `/api/v1/docs`: the OpenAPI document for people. No scripts: the document itself is for programs. */
import type { Json, JsonObject } from '../../core/json.ts';
import { type Html, html, htmlText } from '../html.ts';

export function docsPage(document: JsonObject): string {
  const paths = Object.entries(object(document['paths']));
  const rows = paths.flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, operation]) => operationRow(method.toUpperCase(), path, object(operation))),
  );
  return htmlText(html`<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>kmswatch API</title></head>
<body>
<h1>kmswatch API</h1>
<p>Base path /api/v1. Errors are Problem Details (RFC 9457). The whole document: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<p>With authentication on, send <code>Authorization: Bearer TOKEN</code>; tokens are made with <code>kmswatch token create</code>.</p>
<table><thead><tr><th>call</th><th>what</th><th>parameters</th></tr></thead><tbody>${rows}</tbody></table>
</body></html>`);
}

function operationRow(method: string, path: string, operation: JsonObject): Html {
  const parameters = (Array.isArray(operation['parameters']) ? (operation['parameters'] as readonly Json[]) : []).map((each) =>
    text(object(each)['name']),
  );
  const body = operation['requestBody'] === undefined ? [] : ['a JSON body'];
  return html`<tr><td><code>${method} ${path}</code></td><td>${text(operation['summary'])}</td><td>${[...parameters, ...body].join(', ')}</td></tr>`;
}

function object(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
