/** The company's accounts by role. */
export const ACCOUNTS = {
  prod: '111122223333',
  staging: '444455556666',
  data: '777788889999',
  security: '222233334444',
} as const;

export type AccountName = keyof typeof ACCOUNTS;

/** A fulfilment partner that reads exported order files; not one of the company's own accounts. */
export const PARTNER_ACCOUNT = '888899990000';

/** One KMS key as planned: who needs it and how old it is. Symmetric encryption with AWS's own material unless it says otherwise. */
export interface KeyPlan {
  readonly name: string;
  readonly account: AccountName;
  readonly region: string;
  readonly purpose: string;
  /** Days before the end of the month; keys born within the month name their moment in the plot instead. */
  readonly ageDays: number;
  /** Alias without `alias/`; default: the name. Null: none. */
  readonly alias?: string | null;
  /** Days between automatic rotations; null: not switched on. Default 365. */
  readonly rotationDays?: number | null;
  /** Automatic rotation is on, yet no rotation ever took place. */
  readonly rotationStuck?: true;
  readonly spec?: string;
  readonly usage?: 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC';
  readonly origin?: 'EXTERNAL' | 'AWS_CLOUDHSM';
  /** `REPLICA` keys share the id of the primary key of the same name stem. */
  readonly multiRegion?: 'PRIMARY' | 'REPLICA';
  /** Name of the primary key, for replicas. */
  readonly primary?: string;
  /** AWS managed: `alias/aws/…`, never created by anybody. */
  readonly managed?: true;
}

const [US, EU, WEST] = ['us-east-1', 'eu-west-1', 'us-west-2'] as const;
export const REGIONS = { US, EU, WEST } as const;

export const KEY_PLANS: readonly KeyPlan[] = [
  { name: 'prod-ebs', account: 'prod', region: US, purpose: 'EBS volumes of the shop', ageDays: 910 },
  { name: 'prod-orders-rds', account: 'prod', region: US, purpose: 'orders database', ageDays: 905 },
  { name: 'prod-media', account: 'prod', region: US, purpose: 'product media bucket', ageDays: 385.4 },
  { name: 'prod-secrets', account: 'prod', region: US, purpose: 'Secrets Manager secrets of the shop', ageDays: 880 },
  { name: 'prod-params', account: 'prod', region: US, purpose: 'SSM parameters of the shop', ageDays: 870 },
  {
    name: 'prod-lambda-env',
    account: 'prod',
    region: US,
    purpose: 'environment of the checkout functions',
    ageDays: 470,
    rotationDays: 180,
  },
  { name: 'prod-orders-ddb', account: 'prod', region: US, purpose: 'orders table', ageDays: 860 },
  { name: 'prod-backup', account: 'prod', region: US, purpose: 'backup vault', ageDays: 855 },
  { name: 'prod-logs', account: 'prod', region: US, purpose: 'log groups of the shop', ageDays: 600 },
  {
    name: 'prod-invoice-signing',
    account: 'prod',
    region: US,
    purpose: 'signs invoices',
    ageDays: 500,
    spec: 'RSA_3072',
    usage: 'SIGN_VERIFY',
  },
  {
    name: 'prod-session-hmac-1',
    account: 'prod',
    region: US,
    purpose: 'session tokens',
    ageDays: 640,
    alias: 'prod-session-hmac',
    spec: 'HMAC_256',
    usage: 'GENERATE_VERIFY_MAC',
  },
  {
    name: 'prod-session-hmac-2',
    account: 'prod',
    region: US,
    purpose: 'session tokens, successor',
    ageDays: 0,
    alias: null,
    spec: 'HMAC_256',
    usage: 'GENERATE_VERIFY_MAC',
  },
  {
    name: 'prod-carrier-import',
    account: 'prod',
    region: US,
    purpose: 'carrier labels, material brought by the carrier',
    ageDays: 345,
    origin: 'EXTERNAL',
  },
  { name: 'prod-returns', account: 'prod', region: US, purpose: 'returns service', ageDays: 0, rotationDays: null },
  { name: 'prod-customer-pii', account: 'prod', region: US, purpose: 'customer records', ageDays: 800, multiRegion: 'PRIMARY' },
  {
    name: 'prod-customer-pii-west',
    account: 'prod',
    region: WEST,
    purpose: 'customer records, recovery Region',
    ageDays: 799.9,
    alias: 'prod-customer-pii',
    multiRegion: 'REPLICA',
    primary: 'prod-customer-pii',
  },
  { name: 'prod-loyalty', account: 'prod', region: US, purpose: 'loyalty programme', ageDays: 520, multiRegion: 'PRIMARY' },
  {
    name: 'prod-loyalty-west',
    account: 'prod',
    region: WEST,
    purpose: 'loyalty programme, recovery Region',
    ageDays: 519.9,
    alias: 'prod-loyalty',
    multiRegion: 'REPLICA',
    primary: 'prod-loyalty',
  },
  { name: 'eu-ebs', account: 'prod', region: EU, purpose: 'EBS volumes of the EU shop', ageDays: 700 },
  { name: 'eu-orders-rds', account: 'prod', region: EU, purpose: 'EU orders database', ageDays: 695 },
  { name: 'eu-secrets', account: 'prod', region: EU, purpose: 'Secrets Manager secrets of the EU shop', ageDays: 690 },
  { name: 'eu-params', account: 'prod', region: EU, purpose: 'SSM parameters of the EU shop', ageDays: 680 },
  { name: 'eu-logs', account: 'prod', region: EU, purpose: 'log groups of the EU shop', ageDays: 560 },
  { name: 'eu-backup', account: 'prod', region: EU, purpose: 'EU backup vault', ageDays: 675 },
  { name: 'eu-orders-ddb', account: 'prod', region: EU, purpose: 'EU orders table', ageDays: 670 },
  { name: 'eu-mail-queue', account: 'prod', region: EU, purpose: 'queue of mails to EU customers', ageDays: 340 },
  { name: 'eu-media', account: 'prod', region: EU, purpose: 'EU media bucket', ageDays: 428, rotationStuck: true },
  { name: 'stg-ebs', account: 'staging', region: US, purpose: 'EBS volumes of staging', ageDays: 650 },
  { name: 'stg-secrets', account: 'staging', region: US, purpose: 'Secrets Manager secrets of staging', ageDays: 645 },
  { name: 'stg-uploads', account: 'staging', region: US, purpose: 'upload bucket of staging', ageDays: 640 },
  { name: 'stg-scratch', account: 'staging', region: US, purpose: 'scratch space', ageDays: 560 },
  { name: 'stg-search-poc', account: 'staging', region: US, purpose: 'proof of concept of the new search', ageDays: 220 },
  {
    name: 'stg-partner-import',
    account: 'staging',
    region: US,
    purpose: 'partner gateway test, imported material',
    ageDays: 320,
    origin: 'EXTERNAL',
  },
  {
    name: 'stg-byok-trial',
    account: 'staging',
    region: US,
    purpose: 'trial of bringing our own key material',
    ageDays: 120,
    origin: 'EXTERNAL',
  },
  { name: 'stg-feature-flags', account: 'staging', region: US, purpose: 'feature flag service', ageDays: 0 },
  { name: 'data-lake', account: 'data', region: US, purpose: 'data lake buckets', ageDays: 840 },
  { name: 'data-warehouse', account: 'data', region: US, purpose: 'Redshift warehouse', ageDays: 590 },
  { name: 'data-old-warehouse', account: 'data', region: US, purpose: 'warehouse before the move', ageDays: 1000 },
  { name: 'data-churn-model', account: 'data', region: US, purpose: 'churn model artefacts', ageDays: 430, rotationDays: null },
  { name: 'data-churn-features', account: 'data', region: US, purpose: 'features of the churn model', ageDays: 410 },
  {
    name: 'data-export',
    account: 'data',
    region: US,
    purpose: 'order exports for the fulfilment partner',
    ageDays: 480,
    alias: 'customer-export',
  },
  { name: 'data-eu-lake', account: 'data', region: EU, purpose: 'EU data lake buckets', ageDays: 610 },
  { name: 'data-eu-marts', account: 'data', region: EU, purpose: 'EU reports warehouse', ageDays: 310 },
  { name: 'sec-cloudtrail', account: 'security', region: US, purpose: 'CloudTrail log files of the organization', ageDays: 950 },
  { name: 'sec-findings', account: 'security', region: US, purpose: 'security findings bucket', ageDays: 580 },
  { name: 'sec-root-ca', account: 'security', region: US, purpose: 'offline certificate authority', ageDays: 540, origin: 'AWS_CLOUDHSM' },
  { name: 'prod-aws-ssm', account: 'prod', region: US, purpose: '', ageDays: 1300, alias: 'aws/ssm', managed: true },
  { name: 'eu-aws-ssm', account: 'prod', region: EU, purpose: '', ageDays: 1200, alias: 'aws/ssm', managed: true },
  {
    name: 'stg-aws-secretsmanager',
    account: 'staging',
    region: US,
    purpose: '',
    ageDays: 1100,
    alias: 'aws/secretsmanager',
    managed: true,
  },
  { name: 'data-aws-lambda', account: 'data', region: US, purpose: '', ageDays: 900, alias: 'aws/lambda', managed: true },
];
