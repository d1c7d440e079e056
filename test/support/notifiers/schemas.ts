/**
 * JSON Schemas of what others document, the part that a finding of ours can hold; what is not named here is not allowed.
 *
 * ASFF: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html and
 * https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html.
 * OCSF: https://schema.ocsf.io/1.5.0/classes/detection_finding?profiles=cloud.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';

type Schema = Readonly<Record<string, unknown>>;

const ISO = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$' };
const URL = { type: 'string', pattern: '^https?://', maxLength: 2048 };

function text(maxLength: number): Schema {
  return { type: 'string', minLength: 1, maxLength };
}

function mapping(properties: Schema, required: readonly string[] = Object.keys(properties)): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

const asffSeverity = mapping({ Label: { enum: ['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] }, Original: text(64) });
const asffTypes = {
  type: 'array',
  minItems: 1,
  maxItems: 50,
  items: {
    type: 'string',
    pattern: '^(Software and Configuration Checks|TTPs|Effects|Unusual Behaviors|Sensitive Data Identifications)(/[^/]+){0,2}$',
  },
};

export const ASFF: Schema = mapping(
  {
    SchemaVersion: { const: '2018-10-08' },
    Id: text(512),
    ProductArn: { type: 'string', pattern: '^arn:aws[a-z-]*:securityhub:[a-z0-9-]+:(\\d{12}):product/\\d{12}/default$', maxLength: 2048 },
    ProductName: text(128),
    CompanyName: text(128),
    GeneratorId: text(512),
    AwsAccountId: { type: 'string', pattern: '^\\d{12}$' },
    Types: asffTypes,
    FirstObservedAt: ISO,
    LastObservedAt: ISO,
    CreatedAt: ISO,
    UpdatedAt: ISO,
    Severity: asffSeverity,
    Title: text(256),
    Description: text(1024),
    Remediation: mapping({ Recommendation: mapping({ Text: text(512), Url: URL }, []) }),
    SourceUrl: URL,
    ProductFields: {
      type: 'object',
      maxProperties: 50,
      propertyNames: { maxLength: 128, not: { pattern: '^aws/' } },
      additionalProperties: text(2048),
    },
    Resources: {
      type: 'array',
      minItems: 1,
      maxItems: 32,
      items: mapping({
        Type: { enum: ['AwsKmsKey', 'AwsAccount'] },
        Id: text(512),
        Partition: { enum: ['aws', 'aws-cn', 'aws-us-gov'] },
        Region: text(64),
      }),
    },
    RecordState: { enum: ['ACTIVE', 'ARCHIVED'] },
    FindingProviderFields: mapping({ Severity: asffSeverity, Types: asffTypes }),
  },
  [
    'SchemaVersion',
    'Id',
    'ProductArn',
    'GeneratorId',
    'AwsAccountId',
    'Types',
    'CreatedAt',
    'UpdatedAt',
    'Severity',
    'Title',
    'Description',
    'Resources',
  ],
);

const time = { type: 'integer', minimum: 0 };
const string = { type: 'string' };

/** A number and its name must be a pair. */
function pairs(number: string, name: string, values: readonly (readonly [number, string])[]): Schema {
  return { oneOf: values.map(([id, caption]) => ({ properties: { [number]: { const: id }, [name]: { const: caption } } })) };
}

export const OCSF_2004: Schema = {
  ...mapping(
    {
      activity_id: { enum: [1, 2, 3] },
      activity_name: string,
      category_uid: { const: 2 },
      category_name: { const: 'Findings' },
      class_uid: { const: 2004 },
      class_name: { const: 'Detection Finding' },
      type_uid: { enum: [200401, 200402, 200403] },
      type_name: string,
      time,
      start_time: time,
      end_time: time,
      count: { type: 'integer', minimum: 1 },
      severity_id: { enum: [1, 2, 3, 4, 5] },
      severity: string,
      status_id: { enum: [1, 2, 3, 4] },
      status: string,
      is_alert: { type: 'boolean' },
      message: string,
      metadata: mapping({
        version: { const: '1.5.0' },
        profiles: { type: 'array', items: { const: 'cloud' } },
        uid: string,
        logged_time: time,
        product: mapping({ name: string, vendor_name: string, version: string }),
      }),
      finding_info: mapping(
        {
          uid: string,
          title: string,
          desc: string,
          first_seen_time: time,
          last_seen_time: time,
          created_time: time,
          modified_time: time,
          types: { type: 'array', items: string },
          analytic: mapping({ type_id: { const: 1 }, type: { const: 'Rule' }, uid: string, name: string, category: string }),
          src_url: URL,
        },
        ['uid', 'title'],
      ),
      cloud: mapping({
        provider: { const: 'AWS' },
        region: string,
        account: mapping({ uid: string, type_id: { const: 10 }, type: { const: 'AWS Account' } }),
      }),
      resources: {
        type: 'array',
        minItems: 1,
        items: mapping({ uid: string, type: string, cloud_partition: string, region: string, name: string }, ['uid', 'type']),
      },
      evidences: { type: 'array', minItems: 1, items: mapping({ actor: mapping({ user: mapping({ name: string }) }) }) },
      remediation: mapping({ desc: string, references: { type: 'array', items: URL } }, ['desc']),
    },
    ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'time', 'severity_id', 'metadata', 'finding_info', 'cloud'],
  ),
  allOf: [
    pairs('severity_id', 'severity', [
      [1, 'Informational'],
      [2, 'Low'],
      [3, 'Medium'],
      [4, 'High'],
      [5, 'Critical'],
    ]),
    pairs('status_id', 'status', [
      [1, 'New'],
      [2, 'In Progress'],
      [3, 'Suppressed'],
      [4, 'Resolved'],
    ]),
    { oneOf: [1, 2, 3].map((id) => ({ properties: { activity_id: { const: id }, type_uid: { const: 200400 + id } } })) },
  ],
};

/** What is wrong with values by a schema; empty = nothing. */
export function problemsBy(schema: Schema): (value: unknown) => string[] {
  const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false }).compile(schema);
  return (value) => {
    validate(value);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  };
}
