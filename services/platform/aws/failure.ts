/**
 * What can go wrong when AWS is called, in our words. Foreign errors are translated here and nowhere else. Services tell errors apart
 * by name and not by HTTP status: CloudTrail throttles with 400
 * (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html).
 */
export const AWS_FAILURES = {
  throttled: { retryable: true, hint: 'AWS asks for fewer calls; it is tried again after a pause' },
  network: { retryable: true, hint: 'the endpoint could not be reached or the connection broke; it is tried again' },
  'service-error': { retryable: true, hint: 'AWS itself failed; it is tried again' },
  'credentials-expired': { retryable: true, hint: 'new credentials are asked for' },
  'token-invalid': { retryable: true, hint: 'the listing is begun again' },
  'access-denied': { retryable: false, hint: 'check the role, its trust policy with the external id, and its permissions' },
  'credentials-missing': { retryable: false, hint: 'give this process AWS credentials: a role, environment variables or a profile' },
  'not-found': { retryable: false, hint: 'check the name, the account and the Region' },
  'request-invalid': { retryable: false, hint: 'AWS refused the request as such' },
  unknown: { retryable: false, hint: 'see the message' },
} as const satisfies Record<string, { readonly retryable: boolean; readonly hint: string }>;

export type AwsFailureReason = keyof typeof AWS_FAILURES;

export class AwsFailure extends Error {
  override readonly name = 'AwsFailure';
  readonly reason: AwsFailureReason;
  /** The error's own name: `ThrottlingException`. */
  readonly code: string;

  constructor(reason: AwsFailureReason, details: { readonly message: string; readonly code: string; readonly cause?: unknown }) {
    super(details.message, { cause: details.cause });
    this.reason = reason;
    this.code = details.code;
  }

  get retryable(): boolean {
    return AWS_FAILURES[this.reason].retryable;
  }

  /** What the reader can do about it. */
  get hint(): string {
    return AWS_FAILURES[this.reason].hint;
  }
}

const NAMED: readonly (readonly [AwsFailureReason, ReadonlySet<string>])[] = [
  [
    'throttled',
    new Set([
      'BandwidthLimitExceeded',
      'EC2ThrottledException',
      'KmsThrottled',
      'OverLimit',
      'PriorRequestNotComplete',
      'ProvisionedThroughputExceededException',
      'RequestLimitExceeded',
      'RequestThrottled',
      'RequestThrottledException',
      'SlowDown',
      'ThrottledException',
      'Throttling',
      'ThrottlingException',
      'TooManyRequestsException',
      'TransactionInProgressException',
    ]),
  ],
  [
    'credentials-expired',
    new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'RequestTimeTooSkewed', 'TokenRefreshRequired']),
  ],
  [
    'access-denied',
    new Set([
      'AccessDenied',
      'AccessDeniedException',
      'AllAccessDisabled',
      'AuthFailure',
      'AuthorizationError',
      'InvalidAccessKeyId',
      'InvalidClientTokenId',
      'KMS.AccessDeniedException',
      'NotAuthorized',
      'OptInRequired',
      'RegionDisabledException',
      'SignatureDoesNotMatch',
      'UnauthorizedAccess',
      'UnauthorizedOperation',
      'UnrecognizedClientException',
    ]),
  ],
  ['credentials-missing', new Set(['CredentialsProviderError'])],
  ['token-invalid', new Set(['InvalidNextTokenException', 'InvalidMarkerException', 'InvalidNextToken'])],
  [
    'not-found',
    new Set(['NoSuchBucket', 'NoSuchKey', 'NotFound', 'NotFoundException', 'QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue']),
  ],
  ['network', new Set(['TimeoutError', 'NetworkingError'])],
];

/** System errors of a connection (https://nodejs.org/api/errors.html#common-system-errors). */
const NETWORK_CODE =
  /^(E(CONN\w+|PIPE|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|NOTFOUND|AI_\w+|TIMEDOUT)|UND_ERR_\w+|ERR_(SSL|TLS)_\w+|CERT_\w+)$/;

interface Foreign {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $response?: unknown;
}

/** @returns the failure that an error of the AWS SDK stands for; a failure as it is */
export function awsFailure(error: unknown): AwsFailure {
  if (error instanceof AwsFailure) return error;
  const { name, message, code, $metadata } = (typeof error === 'object' && error !== null ? error : {}) as Foreign;
  const called = typeof name === 'string' ? name : 'Error';
  const system = typeof code === 'string' ? code : '';
  const details = {
    message: typeof message === 'string' && message !== '' ? message : called,
    code: called === 'Error' && system ? system : called,
    cause: error,
  };
  return new AwsFailure(reasonOf(called, { system, status: $metadata?.httpStatusCode }), details);
}

function reasonOf(name: string, { system, status }: { readonly system: string; readonly status: unknown }): AwsFailureReason {
  const named = NAMED.find(([, names]) => names.has(name));
  if (named) return named[0];
  if (NETWORK_CODE.test(system)) return 'network';
  if (typeof status !== 'number') return 'unknown';
  if (status === 429) return 'throttled';
  if (status >= 500) return 'service-error';
  if (status === 401 || status === 403) return 'access-denied';
  if (status === 404) return 'not-found';
  return status >= 400 ? 'request-invalid' : 'network';
}
