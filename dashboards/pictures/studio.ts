/** Bundles the page, serves it, and takes its picture in a headless Chromium. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';
import UPNG from 'upng-js';
import type { Answers } from './collect.ts';

export interface Studio {
  take(answers: Answers, file: string): Promise<void>;
  close(): Promise<void>;
}

const HTML = `<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="/main.css"></head>
<body style="margin:0"><div id="root"></div><script src="/main.js"></script></body></html>`;
/** Where Grafana's components look for their icons, and where the package has them. */
const ICONS = '/public/build/img/';
const WIDTH = 1_400;
/** More than any dashboard is high. */
const HEIGHT = 3_000;

export async function openStudio(): Promise<Studio> {
  const files = await bundle();
  let answers: Answers | null = null;
  const server = createServer((request, response) => {
    void respond(new URL(request.url ?? '/', 'http://localhost').pathname);
    async function respond(path: string): Promise<void> {
      if (path === '/') return void response.setHeader('content-type', 'text/html').end(HTML);
      if (path === '/answers.json') return void response.setHeader('content-type', 'application/json').end(JSON.stringify(answers));
      const bundled = files.get(path);
      if (bundled) return void response.setHeader('content-type', path.endsWith('.css') ? 'text/css' : 'text/javascript').end(bundled);
      const icon =
        path.startsWith(ICONS) && new URL(`node_modules/@grafana/ui/dist/public/img/${path.slice(ICONS.length)}`, import.meta.url);
      const svg = icon ? await readFile(icon).catch(() => null) : null;
      response.writeHead(svg ? 200 : 404, { 'content-type': 'image/svg+xml' }).end(svg);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await puppeteer.launch({
    // Grafana formats numbers in the browser's language, and the C locale of a server is none.
    args: [...chromium.args, '--no-sandbox', '--lang=en-US'],
    executablePath: await chromium.executablePath(),
    headless: 'shell',
    env: { ...process.env, LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8', LANGUAGE: 'en-US' },
  });
  return {
    async take(taken, file) {
      answers = taken;
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error)));
      // Tables draw only the rows that are on the screen.
      await page.setViewport({ width: WIDTH, height: HEIGHT });
      await page.goto(`http://127.0.0.1:${port}/`);
      await page
        .waitForSelector('#root[data-drawn]', { timeout: 60_000 })
        .catch(() => errors.push('the page did not say that it was drawn'));
      if (errors.length > 0) throw new Error(errors.join('\n'));
      const element = await page.$('#root > div');
      if (!element) throw new Error('the page is empty');
      await writeFile(file, withPalette(await element.screenshot()));
      await page.close();
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** A third of the size: a dashboard has few colours. */
function withPalette(png: Uint8Array): Uint8Array {
  const image = UPNG.decode(new Uint8Array(png).buffer);
  return new Uint8Array(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, 256));
}

async function bundle(): Promise<Map<string, Uint8Array>> {
  const asset = 'dataurl';
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page/main.tsx', import.meta.url))],
    bundle: true,
    write: false,
    outdir: '/',
    format: 'iife',
    jsx: 'automatic',
    minify: true,
    mainFields: ['browser', 'module', 'main'],
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.svg': asset, '.ttf': asset, '.woff': asset, '.woff2': asset, '.png': asset, '.gif': asset },
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}
