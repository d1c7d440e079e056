import type { JsonObject } from '../../../core/json.ts';
import { AGENTS } from '../../callers.ts';
import { resourceOf } from '../../operations.ts';
import type { Call, Caller } from '../../record.ts';
import type { SimKey } from '../../world.ts';
import type { Purpose } from '../contract.ts';
import type { Telling } from './telling.ts';

/** Tools that tell of themselves, and such as everybody uses. */
export const TOOLS = {
  kali: 'Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#6.6.9-kali1-amd64 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython',
  boto: AGENTS.boto,
  cli: 'aws-cli/2.15.30 Python/3.11.8 Linux/5.15.0-97-generic exe/x86_64.ubuntu.22 prompt/off command/kms.decrypt',
} as const;

/** Keys whose users are roles of the account's own, with credentials that can be taken; the others belong to AWS services. */
export const HELD: readonly Purpose[] = ['s3', 'secretsmanager', 'application', 'dynamodb', 'ssm', 'lambda', 'sqs', 'signing'];

/** An address that nobody of the organization has: networks for benchmarks, RFC 2544. `rented` stands for a cloud's address range. */
export function addressOf({ random }: Telling, kind: 'rented' | 'far' = 'far'): string {
  return `${kind === 'far' ? '198.18' : '198.19'}.${random.int(1, 250)}.${random.int(2, 250)}`;
}

/** The same credentials, used from somewhere else: past the VPC endpoint, and with another client unless the agent is kept. */
export function elsewhere(caller: Caller, place: { from: string; agent?: string }): Caller {
  const { endpoint: _endpoint, console: _console, ...rest } = caller;
  return { ...rest, from: place.from, agent: place.agent ?? caller.agent };
}

/** A principal of a foreign account at our key, as our trail shows it. Its own account's record stays with that account. */
export function outsider(telling: Telling, role: string, through: string | null = null): Caller {
  const { foreign, organization } = telling;
  const session = `${organization.world.stableId('AROA', `${foreign}/${role}`)}:${role}`;
  const from = through ?? addressOf(telling);
  return {
    account: foreign,
    identity: {
      type: 'AWSAccount',
      principalId: session,
      accountId: foreign,
      ...(through === null ? {} : { invokedBy: through }),
    },
    from,
    agent: through ?? TOOLS.boto,
    direct: through === null,
  };
}

/** A call of another account at our key: our account gets a record of its own, with the id that both share. */
export function atOurKey(call: Call, key: SimKey): Call {
  return { ...call, shared: true, recipient: key.account };
}

/** A key of the attacker's own account: only its ARN is ever seen. */
export function foreignKey({ foreign, random }: Telling, region: string): string {
  return `arn:aws:kms:${region}:${foreign}:key/${random.uuid()}`;
}

/** GenerateDataKey under a key of which only the ARN is known. */
export function dataKeyUnder(arn: string, context: JsonObject): Call {
  return {
    operation: 'GenerateDataKey',
    readOnly: true,
    request: { encryptionContext: context, keyId: arn, keySpec: 'AES_256' },
    resources: [resourceOf(arn)],
    shared: true,
  };
}

/** A key that the attacker creates in the account; its age and purpose are the story's. */
export function newKey(
  telling: Telling,
  made: { time: number; region: string; purpose: string; origin?: 'EXTERNAL'; multiRegion?: 'PRIMARY' },
): SimKey {
  const { account, random } = telling;
  const { time, region, purpose, origin, multiRegion } = made;
  const id = multiRegion === undefined ? random.uuid() : `mrk-${random.hex(32)}`;
  return {
    plan: {
      name: purpose,
      account: 'prod',
      region,
      purpose,
      ageDays: 0,
      alias: null,
      rotationDays: null,
      ...(origin === undefined ? {} : { origin }),
      ...(multiRegion === undefined ? {} : { multiRegion }),
    },
    name: purpose,
    account: account.id,
    region,
    id,
    arn: `arn:aws:kms:${region}:${account.id}:key/${id}`,
    alias: null,
    createdAt: time,
    materials: [{ at: time, id: random.hex(64), cause: 'created' }],
    troubles: [],
  };
}

/** A changing call of another service than KMS. */
export function adjacent(service: string, operation: string, request: JsonObject, response: JsonObject | null = null): Call {
  return { service, operation, readOnly: false, request, response };
}
