import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { within } from '../../platform/clock.ts';
import type { Delivery, Notification, Notifier } from '../contract.ts';
import { fit } from '../fit.ts';
import { plainText } from '../plain-text.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { headline } from '../story.ts';
import { clean } from '../text.ts';
import { mailNotDelivered, smtpNotDelivered } from './failure.ts';
import { htmlMail } from './html.ts';
import { type MailThread, placeInThread } from './thread.ts';

const address = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$/, 'must be an e-mail address');

const settings = z
  .strictObject({
    host: z
      .string()
      .regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be the name or address of a mail server')
      .meta({ description: 'Mail server. Other than with HTTP, it may be in a private network.', examples: ['smtp.example.com'] }),
    port: z.int().min(1).max(65_535).optional().meta({ description: 'Its port: 587, with security tls 465, with security none 25.' }),
    security: z.enum(['starttls', 'tls', 'none']).default('starttls').meta({
      description: 'starttls: nothing is sent unless the connection could be encrypted. tls: encrypted from the start. none: plain text.',
    }),
    ca_file: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Certificate (PEM) of the authority that signed the server's, where it is a private one." }),
    user: z.string().min(1).max(500).optional().meta({ description: 'Name to log in with, where the server asks for it.' }),
    ...secretFields('password', { description: 'Password of `user`.' }),
    from: address.meta({ description: "Sender's address.", examples: ['kmswatch@example.com'] }),
    to: z
      .array(address)
      .min(1)
      .max(50)
      .meta({ description: 'Recipients; each sees the others.', examples: [['security@example.com']] }),
    timeout_seconds: z.int().min(1).max(60).default(20).meta({ description: 'Longest time that sending one mail may take.' }),
  })
  .transform(openSecrets(['password']))
  .superRefine(({ user, password, security, ca_file }, context) => {
    const complain = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((user === undefined) !== (password === undefined)) complain('user', 'and password go together; set both or none');
    if (password && security === 'none') complain('security', 'none would send the password in plain text');
    if (ca_file !== undefined && readText(ca_file) === null) complain('ca_file', 'cannot be read');
  });

type Settings = z.output<typeof settings>;

/** Mail servers take 10 MB and more; clients cut long before that. */
const LIMITS = { bytes: 200_000, alerts: 50 };
const PORTS = { starttls: 587, tls: 465, none: 25 } as const;

export const email: Notifier<Settings> = {
  kind: 'email',
  settings,
  paceMs: 0,
  async send(notification, given, { memory }) {
    const place = placeInThread(notification, given.from.slice(given.from.indexOf('@') + 1), memory);
    const remaining = given.to.filter((recipient) => !place.accepted.includes(recipient));
    if (remaining.length === 0) return { ok: true };
    const timeout = given.timeout_seconds * 1000;
    const transport = createTransport(transportOptions(given, timeout));
    try {
      const sending = transport.sendMail({
        ...bodies(notification),
        from: { name: 'kmswatch', address: given.from },
        to: [...given.to],
        envelope: { from: given.from, to: remaining },
        subject: clean(headline(notification), 200),
        date: new Date(notification.at),
        messageId: place.messageId,
        ...(place.root !== null && { inReplyTo: place.root, references: [place.root] }),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const sent = await within(timeout, sending, () => Object.assign(new Error('late'), { code: 'ETIMEDOUT' }));
      const refused = sent.rejected.map(String);
      const thread: MailThread = {
        root: place.root ?? place.messageId,
        key: notification.idempotencyKey,
        accepted: given.to.filter((recipient) => !refused.includes(recipient)),
      };
      return refused.length === 0 ? { ok: true, memory: thread } : partly(thread, sent.rejectedErrors ?? []);
    } catch (error) {
      return mailNotDelivered(error);
    } finally {
      transport.close();
    }
  },
};

/** Some recipients were refused. Who has got the mail is remembered; the others are tried again if that may help any. */
function partly(thread: MailThread, errors: readonly { readonly responseCode?: number }[]): Delivery {
  const failures = errors.map(({ responseCode }) => smtpNotDelivered(responseCode ?? 550));
  const worst = failures.find(({ retryable }) => retryable) ?? failures[0] ?? smtpNotDelivered(550);
  return { ...worst, reason: 'partial', memory: thread };
}

function bodies(notification: Notification): { text: string; html: string } {
  return {
    text: fit(notification, LIMITS, (shown, hidden) => plainText(notification, shown, hidden)),
    html: fit(notification, LIMITS, (shown, hidden) => htmlMail(notification, shown, hidden)),
  };
}

function transportOptions({ host, port, security, user, password, ca_file }: Settings, timeout: number) {
  const ca = ca_file === undefined ? null : readText(ca_file);
  return {
    host,
    port: port ?? PORTS[security],
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { minVersion: 'TLSv1.2' as const, ...(ca !== null && { ca }) },
    ...(user !== undefined && password && { auth: { user, pass: password.reveal() } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
  };
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
