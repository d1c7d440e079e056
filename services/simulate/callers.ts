import { HOUR } from '../core/clock.ts';
import type { JsonObject } from '../core/json.ts';
import { isoSeconds } from './instants.ts';
import type { Caller } from './record.ts';
import type { World } from './world.ts';

/** An IAM role; workloads, pipelines and people (through Identity Center) all act as roles. */
export interface SimRole {
  readonly account: string;
  readonly name: string;
  /** IAM path with both slashes; default `/`. */
  readonly path?: string;
}

export interface RoleSession {
  readonly session: string;
  /** When the session began; epoch milliseconds. */
  readonly since: number;
  readonly from: string;
  readonly agent: string;
  readonly mfa?: boolean;
  readonly console?: boolean;
  readonly endpoint?: string;
  readonly web?: JsonObject;
  /** The role was delivered to an EC2 instance. */
  readonly ec2?: boolean;
}

/** Someone or something acting under a role. */
export function roleCaller(world: World, role: SimRole, session: RoleSession): Caller {
  const { account, name, path = '/' } = role;
  const roleId = world.stableId('AROA', `${account}/${name}`);
  const attributes = { creationDate: isoSeconds(session.since), mfaAuthenticated: session.mfa ? 'true' : 'false' };
  const issuer = {
    type: 'Role',
    principalId: roleId,
    arn: `arn:aws:iam::${account}:role${path}${name}`,
    accountId: account,
    userName: name,
  };
  const sessionContext: JsonObject = {
    sessionIssuer: issuer,
    ...(session.web ? { webIdFederationData: session.web } : {}),
    attributes,
    ...(session.ec2 ? { ec2RoleDelivery: '2.0' } : {}),
  };
  return {
    account,
    identity: {
      type: 'AssumedRole',
      principalId: `${roleId}:${session.session}`,
      arn: `arn:aws:sts::${account}:assumed-role/${name}/${session.session}`,
      accountId: account,
      accessKeyId: world.stableId('ASIA', `${account}/${name}/${session.session}/${session.since}`).slice(0, 20),
      sessionContext,
    },
    from: session.from,
    agent: session.agent,
    direct: true,
    ...(session.endpoint === undefined ? {} : { endpoint: session.endpoint }),
    ...(session.console ? { console: true } : {}),
  };
}

/** An IAM user with a long-lived access key. */
export function userCaller(world: World, user: { account: string; name: string }, client: { from: string; agent: string }): Caller {
  return {
    account: user.account,
    identity: {
      type: 'IAMUser',
      principalId: world.stableId('AIDA', `${user.account}/${user.name}`),
      arn: `arn:aws:iam::${user.account}:user/${user.name}`,
      accountId: user.account,
      accessKeyId: world.stableId('AKIA', `${user.account}/${user.name}/key`).slice(0, 20),
      userName: user.name,
    },
    from: client.from,
    agent: client.agent,
    direct: true,
  };
}

export function rootCaller(account: string, session: { since: number; from: string; agent: string }): Caller {
  return {
    account,
    identity: {
      type: 'Root',
      principalId: account,
      arn: `arn:aws:iam::${account}:root`,
      accountId: account,
      accessKeyId: '',
      sessionContext: { attributes: { creationDate: isoSeconds(session.since), mfaAuthenticated: 'true' } },
    },
    from: session.from,
    agent: session.agent,
    direct: true,
    console: true,
  };
}

/** An AWS service acting for itself on a resource of the account. */
export function serviceCaller(account: string, principal: string): Caller {
  return { account, identity: { type: 'AWSService', invokedBy: principal }, from: principal, agent: principal, direct: false };
}

/** KMS itself; such records have no identity type. */
export function kmsItself(account: string): Caller {
  return {
    account,
    identity: { accountId: account, invokedBy: 'AWS Internal' },
    from: 'AWS Internal',
    agent: 'AWS Internal',
    direct: false,
  };
}

/** A principal of another account, as the key owner's trail shows it. */
export function foreignCaller(world: World, foreign: { account: string; role: string; session: string }, invokedBy: string): Caller {
  const principalId = `${world.stableId('AROA', `${foreign.account}/${foreign.role}`)}:${foreign.session}`;
  return {
    account: foreign.account,
    identity: { type: 'AWSAccount', principalId, accountId: foreign.account, invokedBy },
    from: invokedBy,
    agent: invokedBy,
    direct: false,
  };
}

/**
 * The same principal, but an AWS service makes the call with its credentials (a forward access session): identity
 * stays, address and agent are the service's, and there is no TLS of the principal's own.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
 */
export function via(caller: Caller, service: string): Caller {
  return { account: caller.account, identity: { ...caller.identity, invokedBy: service }, from: service, agent: service, direct: false };
}

/** EC2's own role that opens volumes for an instance. Source: https://docs.aws.amazon.com/kms/latest/developerguide/ct-ec2two.html */
export function ec2Infrastructure(account: string, instance: string, since: number): Caller {
  return {
    account,
    identity: {
      type: 'AssumedRole',
      principalId: `${account}:aws:ec2-infrastructure:${instance}`,
      arn: `arn:aws:sts::${account}:assumed-role/aws:ec2-infrastructure/${instance}`,
      accountId: account,
      accessKeyId: '',
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: `${account}:aws:ec2-infrastructure`,
          arn: `arn:aws:iam::${account}:role/aws:ec2-infrastructure`,
          accountId: account,
          userName: 'aws:ec2-infrastructure',
        },
        attributes: { creationDate: isoSeconds(since), mfaAuthenticated: 'false' },
        ec2RoleDelivery: '2.0',
      },
      inScopeOf: { issuerType: 'AWS::EC2::Instance', credentialsIssuedTo: `arn:aws:ec2:us-east-1:${account}:instance/${instance}` },
    },
    from: 'AWS Internal',
    agent: 'AWS Internal',
    direct: false,
  };
}

const SDK_JAVA =
  'aws-sdk-java/2.29.45 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.119 lang/java#21.0.5 md/OpenJDK_64-Bit_Server_VM cfg/retry-mode#standard';
const SDK_JS = 'aws-sdk-js/3.716.0 ua/2.1 os/linux#6.1.119 lang/js md/nodejs#22.12.0 api/kms#3.716.0 m/E';
const BOTO =
  'Boto3/1.35.90 md/Botocore#1.35.90 ua/2.0 os/linux#6.1.119 md/arch#x86_64 lang/python#3.12.8 md/pyimpl#CPython cfg/retry-mode#standard';
export const AGENTS = { java: SDK_JAVA, js: SDK_JS, boto: BOTO } as const;

/** A workload under its role: one of a few running instances, replaced every twelve hours as deployments and scaling go. */
export function workload(world: World, role: SimRole & { agent?: string; endpoint?: string }, time: number, copies = 3): Caller {
  const since = Math.floor(time / (12 * HOUR)) * 12 * HOUR + 420_000;
  const copy = Math.floor(time / 1000) % copies;
  const label = `${role.account}/${role.name}/${since}/${copy}`;
  return roleCaller(world, role, {
    session: world.stableHex(32, label),
    since,
    from: `10.${40 + (Number.parseInt(world.stableHex(1, label), 16) % 4)}.${copy + 11}.${10 + (Math.floor(since / HOUR) % 200)}`,
    agent: role.agent ?? AGENTS.java,
    ...(role.endpoint === undefined ? {} : { endpoint: role.endpoint }),
  });
}
