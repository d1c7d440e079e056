/**
 * The way to AWS: whose credentials are used in which Region, and how a client is set up. Endpoints are not our business: the SDK
 * itself heeds `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_CLOUDTRAIL` and so on
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
 */
import type { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { Clock } from '../core/clock.ts';
import { MINUTE } from '../core/clock.ts';
import { awsFailure } from './aws/failure.ts';

export { AWS_FAILURES, AwsFailure, awsFailure, type AwsFailureReason } from './aws/failure.ts';
export { partitionOf, roleArn } from './aws/partition.ts';

/** On whose behalf and where. */
export interface AwsPlace {
  readonly region: string;
  /** Role to assume; null = the credentials that this process has. */
  readonly role: { readonly arn: string; readonly externalId: string | null } | null;
}

export type AwsCredentials = Awaited<ReturnType<ReturnType<typeof fromNodeProviderChain>>>;

export type CredentialProvider = () => Promise<AwsCredentials>;

/** Settings that every client is made with. */
export interface AwsClientSettings {
  readonly region: string;
  readonly credentials: CredentialProvider;
  readonly maxAttempts: 1;
  readonly customUserAgent: [[string, string]];
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number; readonly throwOnRequestTimeout: true };
}

export interface Aws {
  /**
   * What to make a client with. It makes one attempt a call: who calls decides about pauses and repetitions.
   * @param timeoutMs for one answer; more than the wait of a long poll
   */
  settings(place: AwsPlace, timeoutMs?: number): AwsClientSettings;
  /** 12 digits: whose credentials these are. @throws AwsFailure */
  accountOf(place: AwsPlace): Promise<string>;
  /** Drops credentials that AWS calls expired before their time. Clients keep theirs: make new ones. */
  forget(place: AwsPlace): void;
}

export interface AwsOptions {
  readonly clock: Clock;
  /** Of ourselves, for the user agent. */
  readonly version: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** Credentials are replaced this long before they expire; the SDK asks for new ones five minutes before. */
const RENEW_BEFORE_MS = 6 * MINUTE;
/** Sessions of a role that is assumed from another role last an hour at most (role chaining). */
const SESSION_SECONDS = 3_600;

/** One per process: a role is assumed once for all Regions and services, and again shortly before its session ends. */
export function createAws({ clock, version }: AwsOptions): Aws {
  const providers = new Map<string, CredentialProvider>();

  function credentialsOf(place: AwsPlace): CredentialProvider {
    const { role } = place;
    const name = nameOf(place);
    const known = providers.get(name);
    if (known) return known;
    const provider = remembered(role === null ? defaultChain() : assumed(place, version), clock);
    providers.set(name, provider);
    return provider;
  }

  function settings(place: AwsPlace, timeoutMs = ANSWER_TIMEOUT_MS): AwsClientSettings {
    return {
      region: place.region,
      credentials: credentialsOf(place),
      maxAttempts: 1,
      customUserAgent: [['kmswatch', version]],
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
    };
  }

  return {
    settings,
    forget: (place) => void providers.delete(nameOf(place)),
    async accountOf(place) {
      const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
      const client = new STSClient(settings(place));
      try {
        const { Account } = await client.send(new GetCallerIdentityCommand({}));
        return Account ?? '';
      } catch (error) {
        throw awsFailure(error);
      } finally {
        client.destroy();
      }
    },
  };
}

function nameOf({ role }: AwsPlace): string {
  return role === null ? '' : JSON.stringify([role.arn, role.externalId]);
}

/** Environment, profile, web identity, container, instance: the SDK's own order. */
function defaultChain(): CredentialProvider {
  let chain: CredentialProvider | null = null;
  return async () => {
    if (!chain) {
      const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
      chain = fromNodeProviderChain();
    }
    return await chain();
  };
}

function assumed({ region, role }: AwsPlace, version: string): CredentialProvider {
  return async () => {
    const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
    const assume = fromTemporaryCredentials({
      params: {
        RoleArn: role?.arn ?? '',
        RoleSessionName: 'kmswatch',
        DurationSeconds: SESSION_SECONDS,
        ...(role?.externalId && { ExternalId: role.externalId }),
      },
      clientConfig: { region, maxAttempts: 3, customUserAgent: [['kmswatch', version]] },
    });
    return await assume();
  };
}

/** Credentials that are asked for once by all who need them at a time, and kept until shortly before they expire. */
function remembered(provider: CredentialProvider, clock: Clock): CredentialProvider {
  let current: { readonly value: Promise<AwsCredentials>; until: number } | null = null;
  return () => {
    if (current && clock.now() < current.until) return current.value;
    const asked = { value: provider(), until: Infinity };
    current = asked;
    asked.value.then(
      ({ expiration }) => {
        // Asked for again at least every hour: the default chain may find others.
        asked.until = Math.min(clock.now() + SESSION_SECONDS * 1000, expiration ? expiration.getTime() - RENEW_BEFORE_MS : Infinity);
      },
      () => {
        asked.until = 0;
      },
    );
    return asked.value;
  };
}
