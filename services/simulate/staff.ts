import { HOUR } from '../core/clock.ts';
import { roleCaller, userCaller } from './callers.ts';
import type { AccountName } from './keyring.ts';
import { ACCOUNTS } from './keyring.ts';
import { OFFSETS } from './plot.ts';
import type { Caller } from './record.ts';
import type { World } from './world.ts';

/** A person of the company, who signs in through IAM Identity Center. */
export interface Person {
  readonly mail: string;
  /** Permission set; the role's name carries it. */
  readonly permissions: 'PlatformAdmin' | 'Developer' | 'DataEngineer' | 'DataAnalyst' | 'SecurityAudit';
  /** Hours east of UTC. */
  readonly offset: number;
  readonly address: string;
}

const person = (mail: string, permissions: Person['permissions'], offset: number, address: string): Person => ({
  mail: `${mail}@larkspur.example`,
  permissions,
  offset,
  address,
});

export const STAFF = {
  mara: person('mara.lindqvist', 'PlatformAdmin', OFFSETS.berlin, '203.0.113.14'),
  tom: person('tom.okafor', 'PlatformAdmin', OFFSETS.austin, '198.51.100.23'),
  jonas: person('jonas.weber', 'Developer', OFFSETS.berlin, '203.0.113.14'),
  priya: person('priya.raman', 'Developer', OFFSETS.bangalore, '192.0.2.77'),
  elena: person('elena.costa', 'DataEngineer', OFFSETS.lisbon, '203.0.113.160'),
  sam: person('sam.whitaker', 'DataAnalyst', OFFSETS.austin, '198.51.100.23'),
  ines: person('ines.moreau', 'SecurityAudit', OFFSETS.berlin, '203.0.113.14'),
} as const satisfies Record<string, Person>;

const BROWSER = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const CLI =
  'aws-cli/2.22.26 md/awscrt#0.23.4 ua/2.0 os/macos#24.2.0 md/arch#arm64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off';

/** A person at work in one account: in the console, or with the command line. */
export function signedIn(world: World, who: Person, place: { account: AccountName; time: number; tool?: 'console' | 'cli' }): Caller {
  const suffix = world.stableHex(16, `${place.account}/${who.permissions}`);
  return centralSession(world, who, { ...place, account: ACCOUNTS[place.account], suffix });
}

/** A session through IAM Identity Center; `suffix` is what it makes of permission set and account in the role's name. */
export function centralSession(
  world: World,
  who: Pick<Person, 'mail' | 'permissions' | 'address'>,
  place: { account: string; suffix: string; time: number; tool?: 'console' | 'cli' },
): Caller {
  const { account, suffix } = place;
  const console = place.tool !== 'cli';
  const role = { account, name: `AWSReservedSSO_${who.permissions}_${suffix}`, path: '/aws-reserved/sso.amazonaws.com/us-east-1/' };
  const since = Math.floor(place.time / (4 * HOUR)) * 4 * HOUR + who.mail.length * 37_000;
  return roleCaller(world, role, {
    session: who.mail,
    since: Math.min(since, place.time),
    from: who.address,
    agent: console ? BROWSER : CLI,
    console,
  });
}

/** An outside developer with an IAM user from before Identity Center. */
export function contractor(world: World): Caller {
  return userCaller(
    world,
    { account: ACCOUNTS.staging, name: 'ext-dhale' },
    {
      from: '192.0.2.201',
      agent: 'Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#5.15.0-kali3-amd64 md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython',
    },
  );
}

/** The pipeline's role, assumed by GitHub Actions through OpenID Connect; Terraform's user agent. */
export function pipeline(world: World, account: AccountName, time: number): Caller {
  return pipelineOf(world, ACCOUNTS[account], time);
}

/** @param account its id */
export function pipelineOf(world: World, account: string, time: number): Caller {
  const run = Math.floor(time / HOUR);
  return roleCaller(
    world,
    { account, name: 'ci-deploy' },
    {
      session: `GitHubActions-${run}`,
      since: run * HOUR,
      from: `192.0.2.${130 + (run % 20)}`,
      agent:
        'APN/1.0 HashiCorp/1.0 Terraform/1.10.3 (+https://www.terraform.io) terraform-provider-aws/5.82.2 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64 api/kms#1.37.8',
      web: { federatedProvider: `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`, attributes: {} },
    },
  );
}

export const BROWSER_AGENT = BROWSER;
