import { TextCache } from './cache.ts';
import { serviceName } from './service-name.ts';

const RULES: readonly (readonly [RegExp, string])[] = [
  [/[-/#. ]kali/i, 'kali-linux'],
  [/\bpacu\b/i, 'pacu'],
  [/\b(?:Terraform\/|terraform-provider-)/, 'terraform'],
  [/\bOpenTofu\//i, 'opentofu'],
  [/\bpulumi\b/i, 'pulumi'],
  [/\baws-cdk\b/i, 'aws-cdk'],
  [/\baws-internal\//, 'aws-internal'],
  [/^(?:Mozilla\/|S3Console\/|EC2ConsoleFrontend|AWS Signin|AWS-Console|console\.|signin\.)/i, 'console'],
  [/\baws-cli\//, 'aws-cli'],
  [/\bAWSPowerShell/i, 'aws-powershell'],
  [/^boto3\//i, 'boto3'],
  [/^botocore\//i, 'botocore'],
  [/^boto\//i, 'boto'],
];
const SDK = /\baws-sdk-([a-z]+)/;
const SDK_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['nodejs', 'js'],
  ['react', 'js'],
]);

/** Parts of a product name that differ from build to build: UUIDs, long hexadecimal or decimal runs. */
const CHANGING = /[-_.]?(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{12,}|\d{4,})/g;

/**
 * The kind of client behind a `userAgent`, without versions: `aws-cli`, `boto3`, `aws-sdk-go`, `console`, `terraform`, the short name
 * of a service that called for somebody, `aws-internal`, else the product's name. What attack tools call themselves comes first.
 */
export function userAgentFamily(userAgent: string): string | null {
  const known = FAMILIES.get(userAgent);
  if (known !== undefined) return known;
  return FAMILIES.keep(userAgent, parse(userAgent));
}

const FAMILIES = new TextCache<string | null>();

function parse(userAgent: string): string | null {
  const text = userAgent.slice(0, 1024).replace(/^\[|\]$/g, '');
  for (const [pattern, family] of RULES) if (pattern.test(text)) return family;
  const sdk = SDK.exec(text)?.[1];
  if (sdk !== undefined) return `aws-sdk-${SDK_SPELLINGS.get(sdk) ?? sdk}`;
  return serviceName(text) ?? productName(text);
}

function productName(text: string): string | null {
  const product = (/^[^\s/(,;]{1,80}/.exec(text)?.[0] ?? '').toLowerCase().replace(CHANGING, '');
  const name = product.replace(/[^a-z0-9._+-]/g, '').slice(0, 40);
  return name === '' ? null : name;
}
