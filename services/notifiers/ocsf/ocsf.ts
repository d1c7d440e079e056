import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { Delivery, Notifier } from '../contract.ts';
import { postJson } from '../request.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { reachShape } from '../target.ts';
import { detectionFinding } from './detection-finding.ts';
import { appendLines, type LineFile } from './file.ts';

const settings = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .refine(isAbsolute, 'must be an absolute path')
      .optional()
      .meta({
        description: 'File that events are appended to, one JSON document a line.',
        examples: ['/var/log/kmswatch/findings.ndjson'],
      }),
    file_max_bytes: z.int().min(10_000).max(10_000_000_000).default(100_000_000).meta({
      description: 'A larger file is renamed, with the time as its ending, and a new one begun.',
    }),
    file_keep: z.int().min(1).max(1_000).default(10).meta({ description: 'So many renamed files are kept.' }),
    ...secretFields('url', { description: 'Where events are posted instead, as a JSON array.', example: 'https://siem.example.com/ocsf' }),
    ...secretFields('authorization', { description: 'Value of the header Authorization, with `url`.', example: 'Bearer XXXX' }),
    ...reachShape,
  })
  .transform(openSecrets(['url', 'authorization']))
  .superRefine(({ file, url, authorization }, context) => {
    if ((file === undefined) === (url === undefined)) {
      context.addIssue({ code: 'custom', path: ['file'], message: 'or url must be set, one of them' });
    }
    if (authorization && !/^[\x20-\x7e]{1,4000}$/.test(authorization.reveal())) {
      context.addIssue({ code: 'custom', path: ['authorization'], message: 'must be one line of ASCII' });
    }
  });

/** Detection Findings (class 2004) for whatever reads OCSF. An event that comes twice has the same `metadata.uid`. */
export const ocsf: Notifier<z.output<typeof settings>> = {
  kind: 'ocsf',
  settings,
  paceMs: 0,
  async send(notification, { file, file_max_bytes, file_keep, url, authorization, ...reach }, context) {
    const events = notification.alerts.map((alert) => detectionFinding(alert, notification, context.version));
    if (file !== undefined) {
      return await append(events, { path: file, maxBytes: file_max_bytes, keep: file_keep }, context.clock.now());
    }
    if (!url) return { ok: false, code: 'no-target', reason: 'misconfigured', retryable: false };
    const headers: Record<string, string> = authorization ? { authorization: authorization.reveal() } : {};
    const posted = await postJson({ url: url.reveal(), body: JSON.stringify(events), headers, reach }, context);
    return posted.ok ? { ok: true } : posted;
  },
};

async function append(events: readonly object[], file: LineFile, now: number): Promise<Delivery> {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  try {
    await appendLines(lines, file, now);
    return { ok: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'file-failed';
    return { ok: false, code, reason: 'internal', retryable: true };
  }
}
