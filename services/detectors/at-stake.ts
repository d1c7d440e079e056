/**
 * Why a finding matters for its key: what the key protects, as the names in encryption contexts, the services that call and the operations
 * show, and what the configuration says of it. Nothing is said of what is not known. Values of encryption contexts are never told.
 */
import type { Explanation } from '../core/finding.ts';
import type { KeySubject, Organization, Subject } from './contract.ts';
import { keyKnowledge } from './organization.ts';
import { listed, plain } from './wording.ts';

/**
 * What a name in an encryption context tells of.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html and the pages of the services
 */
const BY_CONTEXT: ReadonlyMap<string, string> = new Map([
  ['aws:s3:arn', 'S3 objects'],
  ['aws:ebs:id', 'EBS volumes and snapshots'],
  ['aws:rds:db-id', 'RDS databases'],
  ['aws:rds:dbc-id', 'RDS database clusters'],
  ['SecretARN', 'secrets of Secrets Manager'],
  ['PARAMETER_ARN', 'parameters of Systems Manager'],
  ['aws:lambda:FunctionArn', 'settings of Lambda functions'],
  ['aws:dynamodb:tableName', 'DynamoDB tables'],
  ['aws:ecr:arn', 'container images in ECR'],
  ['aws:logs:arn', 'CloudWatch log groups'],
  ['aws:cloudtrail:arn', 'CloudTrail logs'],
  ['aws:redshift:arn', 'Redshift clusters'],
  ['aws:backup:request-id', 'backups'],
  ['aws:acm:arn', 'private keys of certificates'],
  ['aws:workspaces:sid-directoryid', 'WorkSpaces volumes'],
  ['aws:apigateway:arn', 'data of API Gateway'],
  ['aws:sqs:arn', 'SQS messages'],
  ['aws:sns:topicArn', 'SNS messages'],
  ['aws-crypto-public-key', 'data of programs with the AWS Encryption SDK'],
]);

const BY_OPERATION: ReadonlyMap<string, string> = new Map([
  ['Sign', 'signatures'],
  ['Verify', 'signatures'],
  ['GenerateMac', 'message authentication codes'],
  ['VerifyMac', 'message authentication codes'],
  ['DeriveSharedSecret', 'shared secrets'],
]);

const SHOWN = 6;

/** The explanation with what is at stake behind its `why`. */
export function withStake(explanation: Explanation, stake: string): Explanation {
  return { ...explanation, why: `${explanation.why} ${stake}` };
}

/** Sentences on the key of a finding; empty text where nothing is known. @param keyArn of the finding */
export function atStake(subject: Subject, keyArn: string, organization: Organization): string {
  const own = subject.kind === 'key' && subject.arn === keyArn ? subject : null;
  return [own === null ? '' : protectedText(own), knowledgeText(subject, keyArn, organization)].filter((text) => text !== '').join(' ');
}

function protectedText(key: KeySubject): string {
  const things = [...new Set([...(key.protectsLogs ? ['CloudTrail logs'] : []), ...(key.habits ?? []).flatMap(thingsOf)])].toSorted();
  return things.length === 0 ? '' : `What the key protects, as its records show: ${listed(things, SHOWN)}.`;
}

/** Of a call without a context that says more, the service through which it came. */
function thingsOf({ profile }: NonNullable<KeySubject['habits']>[number]): string[] {
  if (profile.operationClass !== 'use') return [];
  const operation = BY_OPERATION.get(profile.operation.slice(profile.operation.indexOf(':') + 1));
  if (operation !== undefined) return [operation];
  const names = profile.contextShape === null ? [] : profile.contextShape.split(',');
  const known = names.flatMap((name) => BY_CONTEXT.get(name) ?? []);
  // Trails write to S3: what they write says more than where it lies.
  if (known.length > 0) return known.includes('CloudTrail logs') ? ['CloudTrail logs'] : known;
  if (profile.callingService !== null && profile.callingService !== 'aws-internal') return [`data of ${plain(profile.callingService, 40)}`];
  return names.length === 0
    ? []
    : [
        `data with ${names
          .slice(0, 3)
          .map((name) => plain(name, 40))
          .join(', ')} in the encryption context`,
      ];
}

function knowledgeText(subject: Subject, keyArn: string, organization: Organization): string {
  const targets = subject.kind === 'alias' ? subject.targets : {};
  const facts =
    subject.kind === 'key' && subject.arn === keyArn ? subject.facts : Object.hasOwn(targets, keyArn) ? (targets[keyArn] ?? {}) : {};
  const { criticality, owner } = keyKnowledge(organization, { arn: keyArn, facts });
  const said = [
    criticality === null ? [] : `is of ${criticality} criticality`,
    owner === null ? [] : `belongs to ${plain(owner, 200)}`,
  ].flat();
  return said.length === 0 ? '' : `By the configuration the key ${said.join(' and ')}.`;
}
