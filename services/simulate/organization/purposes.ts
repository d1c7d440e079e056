import { AGENTS } from '../callers.ts';
import { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { AccountPlan } from './accounts.ts';
import type { OrgKey, Purpose, Workload } from './contract.ts';
import type { WorkloadPlan } from './workload.ts';
import { workloadOf } from './workload.ts';

/** How often keys serve what; the rarer ones come after the first nine of an account. */
export const DECK: readonly Purpose[] = [
  's3',
  'secretsmanager',
  'ebs',
  'application',
  'rds',
  'dynamodb',
  'ssm',
  's3',
  'lambda',
  'logs',
  'signing',
  'sqs',
  'backup',
  'imported',
  'secretsmanager',
  'application',
];

/** What aliases and descriptions call a key of the purpose. */
export const NOUNS: Readonly<Record<Purpose, readonly string[]>> = {
  s3: ['documents', 'uploads', 'exports', 'archive', 'reports'],
  ebs: ['volumes'],
  rds: ['database'],
  dynamodb: ['table'],
  secretsmanager: ['secrets', 'credentials'],
  ssm: ['parameters'],
  lambda: ['functions'],
  sqs: ['queue'],
  backup: ['vault'],
  logs: ['log-groups'],
  application: ['records', 'tokens', 'messages'],
  signing: ['signing'],
  imported: ['partner-gateway'],
};

const JOBS = ['api', 'worker', 'importer', 'exporter', 'scheduler', 'reporter'] as const;

/** AWS services' own roles: one workload each, in every account alike. */
const SERVICE_LINKED = {
  ebs: {
    role: 'AWSServiceRoleForAutoScaling',
    path: '/aws-service-role/autoscaling.amazonaws.com/',
    through: 'ec2-frontend-api.amazonaws.com',
    session: 'AutoScaling',
  },
  rds: { role: 'AWSServiceRoleForRDS', path: '/aws-service-role/rds.amazonaws.com/', through: 'rds.amazonaws.com', session: 'RDS' },
  backup: { role: 'AWSBackupDefaultServiceRole', path: '/service-role/', through: 'backup.amazonaws.com', session: 'AWSBackup-backup' },
} as const;

export interface KeyPlace {
  readonly account: AccountPlan;
  readonly region: string;
  readonly noun: string;
  readonly nat: string;
}

/** Those who use a key of the purpose: one to three roles of the account, or the AWS service's own. */
export function workloadsFor(world: World, purpose: Purpose, { account, noun, nat }: KeyPlace): Workload[] {
  const random = new Random(`${world.seed}/workloads/${account.id}/${noun}`);
  const build = (plan: Pick<WorkloadPlan, 'role' | 'through' | 'runsOn'> & { path?: string; endpoint?: string | null }): Workload =>
    workloadOf(world, { account: account.id, agent: random.pick(Object.values(AGENTS)), nat, endpoint: null, ...plan });
  if (purpose === 'ebs' || purpose === 'rds' || purpose === 'backup') {
    const { role, path, through, session } = SERVICE_LINKED[purpose];
    return [build({ role, path, through, runsOn: { session } })];
  }
  const through = throughOf(purpose);
  const count = purpose === 'lambda' || purpose === 'signing' || purpose === 'imported' ? 1 : random.int(1, 3);
  const first = random.int(0, JOBS.length - 1);
  return Array.from({ length: count }, (_, at) => {
    const role = `${account.team}-${noun}-${JOBS[(first + at) % JOBS.length] ?? 'api'}`;
    const endpoint = through === null && random.chance(0.6) ? `vpce-0${world.stableHex(16, `${account.id}/endpoint`)}` : null;
    const runsOn = purpose === 'lambda' ? { session: role } : random.chance(0.5) ? ('instances' as const) : ('tasks' as const);
    return build({ role, through, runsOn, endpoint });
  });
}

function throughOf(purpose: Purpose): string | null {
  return purpose === 'application' || purpose === 'signing' || purpose === 'imported' ? null : `${purpose}.amazonaws.com`;
}

/** Encryption contexts as the services write them, about the few things that the key protects. */
export function contextOf(world: World, purpose: Purpose, { account, region, noun }: KeyPlace): OrgKey['context'] {
  const { id, team } = account;
  const random = new Random(`${world.seed}/contexts/${id}/${noun}`);
  const things = (least: number, most: number): string[] =>
    Array.from({ length: random.int(least, most) }, (_, at) => `${noun}-${at + 1}-${random.hex(4)}`);
  const oneOf =
    (list: readonly string[], context: (thing: string) => Record<string, string>): OrgKey['context'] =>
    (draw) =>
      context(draw.pick(list));
  switch (purpose) {
    case 's3': {
      // With S3 Bucket Keys the context is the bucket, without them each object.
      const bucket = `arn:aws:s3:::${team}-${account.stage}-${noun}-${random.hex(4)}`;
      if (random.chance(0.7)) return () => ({ 'aws:s3:arn': bucket });
      return (draw) => ({ 'aws:s3:arn': `${bucket}/${draw.int(2019, 2026)}/${draw.int(1, 12)}/part-${draw.int(0, 40)}` });
    }
    case 'ebs':
      return (draw) => ({ 'aws:ebs:id': `vol-0${draw.hex(16)}` });
    case 'rds':
      return oneOf(things(1, 3), (thing) => ({ 'aws:rds:db-id': `db-${world.stableHex(24, `${id}/${thing}`).toUpperCase()}` }));
    case 'dynamodb':
      return oneOf(things(1, 3), (thing) => ({ 'aws:dynamodb:tableName': `${team}-${thing}`, 'aws:dynamodb:subscriberId': id }));
    case 'secretsmanager':
      return oneOf(things(3, 9), (thing) => ({
        SecretARN: `arn:aws:secretsmanager:${region}:${id}:secret:${team}/${thing}-${world.stableHex(6, `${id}/${thing}`)}`,
        SecretVersionId: world.stableHex(32, `${id}/${thing}`),
      }));
    case 'ssm':
      return oneOf(things(4, 15), (thing) => ({ PARAMETER_ARN: `arn:aws:ssm:${region}:${id}:parameter/${team}/${thing}` }));
    case 'lambda':
      return oneOf(things(1, 4), (thing) => ({ 'aws:lambda:FunctionArn': `arn:aws:lambda:${region}:${id}:function:${team}-${thing}` }));
    case 'sqs':
      return oneOf(things(1, 2), (thing) => ({ 'aws:sqs:arn': `arn:aws:sqs:${region}:${id}:${team}-${thing}` }));
    case 'backup':
      return (draw) => ({ 'aws:backup:request-id': draw.uuid() });
    case 'logs':
      return oneOf(things(2, 5), (thing) => ({ 'aws:logs:arn': `arn:aws:logs:${region}:${id}:log-group:/${team}/${thing}` }));
    case 'application':
      return (draw) => ({ purpose: noun, tenant: `t-${Math.floor(draw.float() ** 2 * 80)}` });
    case 'imported':
      return () => ({ partner: 'parcel', purpose: noun });
    case 'signing':
      return () => ({});
  }
}
