/** SNS and Security Hub over loopback, for the unmodified SDK: records what is sent, answers what it is told to. */
import { vi, onTestFinished } from 'vitest';
import { type Sink, type SinkAnswer, startSink } from './sink.ts';

export interface AwsSink extends Sink {
  /** What Security Hub says of the findings of a request. */
  failed: readonly { readonly Id: string; readonly ErrorCode: string; readonly ErrorMessage: string }[];
  /** An error for every request, by its name. */
  error: { readonly status: number; readonly code: string } | null;
}

const SNS_XML =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
const STS_XML =
  '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>999988887777</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';

/** The SDK in this process finds it until the test has finished. */
export async function startAwsSink(): Promise<AwsSink> {
  const sink = await startSink();
  onTestFinished(() => sink[Symbol.asyncDispose]());
  const environment = {
    AWS_ENDPOINT_URL: sink.url,
    AWS_ACCESS_KEY_ID: 'AKIAHOME',
    AWS_SECRET_ACCESS_KEY: 'very-secret-access-key',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const aws = Object.assign(sink, { failed: [], error: null } as Pick<AwsSink, 'failed' | 'error'>);
  aws.answer = (request): SinkAnswer => {
    const isJson = request.path.startsWith('/findings');
    if (aws.error) return errorOf(aws.error, isJson);
    if (isJson) {
      const { Findings } = JSON.parse(request.body) as { Findings: { Id: string }[] };
      const body = { FailedCount: aws.failed.length, SuccessCount: Findings.length - aws.failed.length, FailedFindings: aws.failed };
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    }
    const isSts = request.body.includes('Action=GetCallerIdentity');
    return { status: 200, headers: { 'content-type': 'text/xml' }, body: isSts ? STS_XML : SNS_XML };
  };
  return aws;
}

function errorOf({ status, code }: { readonly status: number; readonly code: string }, isJson: boolean): SinkAnswer {
  if (isJson)
    return { status, headers: { 'x-amzn-errortype': code, 'content-type': 'application/json' }, body: JSON.stringify({ Message: 'no' }) };
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
  };
}
