/** Every kind of receiver. One folder, one line here, one in the schema; a test notices when they part. */
import { z } from 'zod';
import { alertmanager } from './alertmanager/alertmanager.ts';
import { email } from './email/email.ts';
import { log } from './log/log.ts';
import { ocsf } from './ocsf/ocsf.ts';
import { pagerduty } from './pagerduty/pagerduty.ts';
import { securityHub } from './security-hub/security-hub.ts';
import { slack } from './slack/slack.ts';
import { sns } from './sns/sns.ts';
import { teams } from './teams/teams.ts';
import { webhook } from './webhook/webhook.ts';

export const NOTIFIERS = [log, alertmanager, slack, teams, pagerduty, email, sns, webhook, securityHub, ocsf] as const;

const kinds = {
  log: log.settings.optional().meta({ description: "A line of kmswatch's own log." }),
  alertmanager: alertmanager.settings.optional().meta({ description: 'Prometheus Alertmanager, v2 API.' }),
  slack: slack.settings.optional().meta({ description: 'Slack, by an incoming webhook or as a bot.' }),
  teams: teams.settings.optional().meta({ description: 'Microsoft Teams, by a workflow.' }),
  pagerduty: pagerduty.settings.optional().meta({ description: 'PagerDuty, Events API v2.' }),
  email: email.settings.optional().meta({ description: 'E-mail over SMTP.' }),
  sns: sns.settings.optional().meta({ description: 'An SNS topic.' }),
  webhook: webhook.settings.optional().meta({ description: 'Any HTTP endpoint, with signatures by Standard Webhooks.' }),
  security_hub: securityHub.settings.optional().meta({ description: 'AWS Security Hub.' }),
  ocsf: ocsf.settings.optional().meta({ description: 'OCSF Detection Findings, into a file or to an HTTP endpoint.' }),
};

export type ReceiverKind = keyof typeof kinds;

export const RECEIVER_KINDS = Object.keys(kinds) as readonly ReceiverKind[];

/** A receiver as it is configured: its name and the settings of one kind, `{name: oncall, slack: {…}}`. */
export const receiverSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be up to 63 lower-case letters, digits, - and _')
      .meta({ description: 'Name by which routes refer to it.', examples: ['oncall'] }),
    ...kinds,
  })
  .superRefine((receiver, context) => {
    const given = RECEIVER_KINDS.filter((kind) => receiver[kind] !== undefined);
    if (given.length === 1) return;
    const message =
      given.length === 0 ? `must have one of ${RECEIVER_KINDS.join(', ')}` : `has ${given.join(' and ')}; a receiver is of one kind`;
    context.addIssue({ code: 'custom', path: [], message });
  });

export type ReceiverConfig = z.output<typeof receiverSchema>;
