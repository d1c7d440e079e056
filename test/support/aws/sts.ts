import { type Answer, xml, xmlError } from './answer.ts';

export interface Session {
  readonly account: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The part of STS that credentials come from. Whose credentials they are is told by the access key. */
export class Sts {
  /** Account of credentials that STS did not issue. */
  readonly homeAccount: string;
  /** Accounts whose role cannot be assumed. */
  readonly denied = new Set<string>();
  /** When set, the external id that roles ask for. */
  externalId: string | null = null;
  /** How long sessions are good for, milliseconds; what clients are told is always an hour. */
  sessionMs = 3_600_000;
  readonly #sessions = new Map<string, Session>();

  constructor(homeAccount: string) {
    this.homeAccount = homeAccount;
  }

  answer(form: URLSearchParams, accessKeyId: string): Answer {
    const action = form.get('Action') ?? '';
    if (action === 'AssumeRole') return this.#assumeRole(form);
    if (action !== 'GetCallerIdentity') return xmlError('InvalidAction', { message: `no such action: ${action}` });
    const account = this.sessionOf(accessKeyId).account;
    return xml(action, `<Arn>arn:aws:iam::${account}:user/test</Arn><UserId>AIDATEST</UserId><Account>${account}</Account>`);
  }

  sessionOf(accessKeyId: string): Session {
    return this.#sessions.get(accessKeyId) ?? { account: this.homeAccount, expiresAt: Infinity };
  }

  #assumeRole(form: URLSearchParams): Answer {
    const arn = form.get('RoleArn') ?? '';
    const [, , , , account = ''] = arn.split(':');
    const isAllowed = !this.denied.has(account) && (this.externalId === null || form.get('ExternalId') === this.externalId);
    if (!isAllowed)
      return xmlError('AccessDenied', { message: `User is not authorized to perform: sts:AssumeRole on resource: ${arn}`, status: 403 });
    const accessKeyId = `ASIA${account}${this.#sessions.size}`;
    this.#sessions.set(accessKeyId, { account, expiresAt: Date.now() + this.sessionMs });
    const expiration = new Date(Date.now() + 3_600_000).toISOString();
    const credentials = `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>${expiration}</Expiration>`;
    const user = `<AssumedRoleId>AROATEST:kmswatch</AssumedRoleId><Arn>${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/kmswatch</Arn>`;
    return xml('AssumeRole', `<Credentials>${credentials}</Credentials><AssumedRoleUser>${user}</AssumedRoleUser>`);
  }
}
