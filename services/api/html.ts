/** HTML that cannot be broken out of: everything put into a template is escaped, unless it is HTML that was made here. */
import { visible } from './text/visible.ts';

const MADE = Symbol('html');

export interface Html {
  readonly [MADE]: string;
}

type Part = Html | string | number | null | readonly Html[];

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { [MADE]: strings.reduce((text, string, at) => text + textOf(parts[at - 1] ?? null) + string) };
}

/** The finished page. */
export function htmlText(page: Html): string {
  return `<!doctype html>\n${page[MADE]}`;
}

function textOf(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escape(part);
  return 'length' in part ? part.map((each) => each[MADE]).join('') : part[MADE];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return visible(text).replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
