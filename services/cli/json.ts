import type { Json } from '../core/json.ts';
import type { OutStream } from './out.ts';
import { visibleJson } from '../api/text/visible.ts';

/** Writes the one JSON document of a command. */
export function printJson(stream: OutStream, value: Json): void {
  stream.write(`${visibleJson(JSON.stringify(value, null, 2))}\n`);
}

/** Writes a JSON array element by element, so that a long one needs no more memory than a short one. */
export async function printJsonArray(stream: OutStream, values: AsyncIterable<Json>): Promise<void> {
  let begun = false;
  for await (const value of values) {
    const text = JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');
    stream.write(`${begun ? ',' : '['}\n  ${visibleJson(text)}`);
    begun = true;
  }
  stream.write(begun ? '\n]\n' : '[]\n');
}
