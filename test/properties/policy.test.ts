/**
 * Small key policies against every request of a small universe, judged by a second evaluator that shares no code with the service: it
 * takes one request and walks the statements, as IAM's documentation tells it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyAdministrators } from '../../services/keys/policy-administrators.ts';
import { policyDifference } from '../../services/keys/policy-difference.ts';
import { analyzePolicy } from '../../services/keys/policy.ts';

const OWN = '111122223333';
const PARTNER = '444455556666';
const STRANGER = '777788889999';
const ORGANIZATION = 'o-a1b2c3d4e5';
const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const rootArn = (account: string): string => `arn:aws:iam::${account}:root`;

interface Caller {
  readonly account: string | null;
  readonly arn: string | null;
  readonly organization: string | null;
}

const CALLERS: readonly Caller[] = [
  { account: OWN, arn: roleArn(OWN, 'app'), organization: ORGANIZATION },
  { account: OWN, arn: roleArn(OWN, 'admin'), organization: ORGANIZATION },
  { account: PARTNER, arn: roleArn(PARTNER, 'app'), organization: ORGANIZATION },
  { account: STRANGER, arn: roleArn(STRANGER, 'app'), organization: 'o-zzzzzzzzzz' },
  { account: null, arn: null, organization: null },
];
const OPERATIONS = ['Decrypt', 'GenerateDataKey', 'CreateGrant', 'PutKeyPolicy'] as const;
const OUTSIDE = new Set<string>(['Decrypt', 'GenerateDataKey', 'CreateGrant']);
const VIA = [null, 's3.eu-west-1.amazonaws.com'] as const;

interface Request {
  readonly caller: Caller;
  readonly operation: string;
  readonly context: ReadonlyMap<string, string>;
}

const REQUESTS: readonly Request[] = CALLERS.flatMap((caller) =>
  OPERATIONS.flatMap((operation) =>
    VIA.map((via) => {
      const context = new Map<string, string>();
      const set = (key: string, value: string | null): void => void (value !== null && context.set(key, value));
      set('aws:principalaccount', caller.account);
      set('kms:calleraccount', caller.account);
      set('aws:principalarn', caller.arn);
      set('aws:principalorgid', caller.organization);
      set('kms:viaservice', via);
      return { caller, operation, context };
    }),
  ),
);

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: '*';
  readonly Condition?: Record<string, Record<string, readonly string[]>>;
}

function allows(statements: readonly Statement[], request: Request): boolean {
  const matching = statements.filter((statement) => matches(statement, request));
  return matching.some(({ Effect }) => Effect === 'Allow') && !matching.some(({ Effect }) => Effect === 'Deny');
}

function matches(statement: Statement, { caller, operation, context }: Request): boolean {
  const names = (list: readonly string[]): boolean => list.some((pattern) => like(pattern.toLowerCase(), `kms:${operation.toLowerCase()}`));
  const action = statement.Action !== undefined ? names(statement.Action) : !names(statement.NotAction ?? []);
  const who = statement.Principal !== undefined ? isNamed(statement.Principal, caller) : !isNamed(statement.NotPrincipal, caller);
  return (
    action &&
    who &&
    Object.entries(statement.Condition ?? {}).every(([operator, block]) =>
      Object.entries(block).every(([key, values]) => holds(operator, context.get(key.toLowerCase()), values)),
    )
  );
}

function isNamed(principal: unknown, { account, arn }: Caller): boolean {
  if (principal === '*') return true;
  return (principal as { AWS: readonly string[] }).AWS.some(
    (name) => name === '*' || (account !== null && (name === account || name === rootArn(account))) || (arn !== null && name === arn),
  );
}

/** Single-valued keys: with them, ForAllValues is true for an absent key, ForAnyValue false; negated operators are true for one. */
function holds(operator: string, value: string | undefined, values: readonly string[]): boolean {
  if (operator === 'Null') return values.includes(String(value === undefined));
  const plain = operator.replace(/^For(All|Any)Values?:/, '').replace(/IfExists$/, '');
  const negative = plain.includes('Not');
  if (value === undefined)
    return operator.startsWith('ForAllValues:') || operator.endsWith('IfExists') || (negative && !operator.startsWith('ForAnyValue:'));
  const found = values.some((pattern) =>
    plain.startsWith('String') && plain.endsWith('Equals') ? pattern === value : like(pattern, value),
  );
  return found !== negative;
}

function like(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const [head, rest] = [pattern[0], pattern.slice(1)];
  if (head === '*') return Array.from({ length: text.length + 1 }, (_, at) => text.slice(at)).some((tail) => like(rest, tail));
  return text !== '' && (head === '?' || head === text[0]) && like(rest, text.slice(1));
}

const aws = fc
  .uniqueArray(
    fc.constantFrom(
      OWN,
      rootArn(OWN),
      roleArn(OWN, 'app'),
      roleArn(OWN, 'admin'),
      PARTNER,
      roleArn(PARTNER, 'app'),
      rootArn(STRANGER),
      '*',
    ),
    {
      minLength: 1,
      maxLength: 2,
    },
  )
  .map((AWS) => ({ AWS }));
const principal = fc.oneof({ weight: 1, arbitrary: fc.constant('*' as const) }, { weight: 3, arbitrary: aws });
const actions = fc.uniqueArray(
  fc.constantFrom('kms:*', '*', 'kms:Decrypt', 'kms:De*', 'kms:GenerateDataKey*', 'kms:CreateGrant', 'kms:Put*', 'kms:?ecrypt'),
  {
    minLength: 1,
    maxLength: 3,
  },
);
const block = fc.oneof(
  fc.tuple(
    fc.constantFrom('aws:PrincipalAccount', 'kms:CallerAccount'),
    fc.uniqueArray(fc.constantFrom(OWN, PARTNER), { minLength: 1, maxLength: 2 }),
  ),
  fc.tuple(fc.constant('aws:PrincipalOrgID'), fc.constant([ORGANIZATION])),
  fc.tuple(
    fc.constant('aws:PrincipalArn'),
    fc.uniqueArray(fc.constantFrom(roleArn(OWN, 'app'), roleArn(PARTNER, '*'), '*'), { minLength: 1, maxLength: 2 }),
  ),
  fc.tuple(fc.constant('kms:ViaService'), fc.constant(['s3.eu-west-1.amazonaws.com'])),
);
const operator = fc.constantFrom(
  'StringEquals',
  'StringLike',
  'ArnLike',
  'StringNotEquals',
  'StringNotLike',
  'ArnNotLike',
  'StringEqualsIfExists',
  'StringNotEqualsIfExists',
  'ForAnyValue:StringEquals',
  'ForAllValues:StringEquals',
  'ForAllValues:StringNotEquals',
  'ForAnyValue:StringNotEquals',
);
const condition = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(operator, block).map(([name, [key, values]]) => ({ [name]: { [key]: values } })) },
  { weight: 1, arbitrary: fc.constantFrom('true', 'false').map((is) => ({ Null: { 'aws:PrincipalOrgID': [is] } })) },
);

function statements(options: { conditions: boolean; maxLength: number }): fc.Arbitrary<Statement[]> {
  const one = fc
    .record({
      Effect: fc.oneof({ weight: 3, arbitrary: fc.constant('Allow' as const) }, { weight: 1, arbitrary: fc.constant('Deny' as const) }),
      who: fc.tuple(fc.boolean(), principal, aws),
      what: fc.tuple(fc.nat({ max: 5 }), actions),
      Condition: options.conditions ? fc.option(condition, { nil: undefined }) : fc.constant(undefined),
    })
    .map(({ Effect, who: [negated, named, excepted], what: [turn, list], Condition }): Statement => {
      const whom = negated && turn < 2 ? { NotPrincipal: excepted } : { Principal: named };
      const which = turn === 5 ? { NotAction: list } : { Action: list };
      return { Effect, ...whom, ...which, Resource: '*', ...(Condition === undefined ? {} : { Condition }) };
    });
  return fc.array(one, { minLength: 1, maxLength: options.maxLength });
}

const text = (list: readonly Statement[]): string => JSON.stringify({ Version: '2012-10-17', Statement: list });
const isStranger = ({ caller }: Request): boolean => caller.account === null || caller.account === STRANGER;
const RUNS = { numRuns: 1000 };

describe('the verdict on a policy', () => {
  test('a policy that lets anyone outside the account through never reads as internal', () => {
    fc.assert(
      fc.property(statements({ conditions: true, maxLength: 4 }), (list) => {
        const through = REQUESTS.filter(({ caller, operation }) => caller.account !== OWN && OUTSIDE.has(operation)).filter((request) =>
          allows(list, request),
        );
        expect(through.length > 0 && analyzePolicy(text(list), OWN).verdict === 'internal').toBe(false);
      }),
      RUNS,
    );
  });

  test('a policy that lets an anonymous caller through reads as public', () => {
    const anonymous = REQUESTS.filter(({ caller, operation }) => caller.account === null && OUTSIDE.has(operation));
    fc.assert(
      fc.property(statements({ conditions: true, maxLength: 4 }), (list) => {
        const open = anonymous.some((request) => allows(list, request));
        expect(open && analyzePolicy(text(list), OWN).verdict !== 'public').toBe(false);
      }),
      RUNS,
    );
  });

  test('without conditions and exceptions it is exact: public when strangers get through, internal when nobody foreign does', () => {
    const plain = statements({ conditions: false, maxLength: 4 }).filter((list) =>
      list.every((one) => one.NotPrincipal === undefined && one.NotAction === undefined && one.Effect === 'Allow'),
    );
    fc.assert(
      fc.property(plain, (list) => {
        const foreign = REQUESTS.filter(({ caller, operation }) => caller.account !== OWN && OUTSIDE.has(operation));
        const anyone = foreign.some((request) => request.caller.account === null && allows(list, request));
        const some = foreign.some((request) => allows(list, request));
        expect(analyzePolicy(text(list), OWN).verdict).toBe(anyone ? 'public' : some ? 'external' : 'internal');
      }),
      RUNS,
    );
  });
});

describe('the difference of two policies', () => {
  const lists = statements({ conditions: true, maxLength: 3 });
  const pairs = fc.oneof(
    fc.tuple(lists, lists),
    // One statement more, or fewer: what people do.
    fc.tuple(lists, lists).map(([a, b]) => [a, [...a, ...b.slice(0, 1)]] as [Statement[], Statement[]]),
    fc.tuple(lists, lists).map(([a, b]) => [[...b.slice(0, 1), ...a], a] as [Statement[], Statement[]]),
  );

  test('no request that is newly let through, or newly stopped, goes without a word on its operation', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const { gained, loosened, lost, tightened } = policyDifference(text(before), text(after));
        const [wider, narrower] = [operationsIn([...gained, ...loosened]), operationsIn([...lost, ...tightened])];
        const change = REQUESTS.map((request) => ({ ...request, was: allows(before, request), is: allows(after, request) }));
        const untold = change.filter(
          ({ operation, was, is }) => (is && !was && !wider.includes(operation)) || (was && !is && !narrower.includes(operation)),
        );
        expect(untold).toEqual([]);
      }),
      RUNS,
    );
  });

  test('without conditions, exceptions and denials it says nothing of what did not change', () => {
    const plain = statements({ conditions: false, maxLength: 3 }).map((list) =>
      list.map(({ NotPrincipal, Principal, ...rest }): Statement => ({ ...rest, Effect: 'Allow', Principal: Principal ?? NotPrincipal })),
    );
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        const { gained, loosened, lost, tightened } = policyDifference(text(before), text(after));
        expect([...loosened, ...tightened]).toEqual([]);
        const differs = REQUESTS.some((request) => allows(before, request) !== allows(after, request));
        expect(differs && gained.length + lost.length === 0).toBe(false);
      }),
      RUNS,
    );
  });

  test('a policy does not differ from itself, in whatever order its statements stand', () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(policyDifference(text(list), text(list)).sentences).toEqual([]);
        const turned = list.map((one) => ({ ...one, Sid: 'x' })).toReversed();
        const { gained, lost } = policyDifference(text(list), text(turned));
        expect([...gained, ...lost]).toEqual([]);
      }),
      RUNS,
    );
  });
});

test('whoever can change the policy is among its administrators', () => {
  const own = REQUESTS.filter(({ caller, operation }) => caller.account === OWN && operation === 'PutKeyPolicy');
  fc.assert(
    fc.property(statements({ conditions: true, maxLength: 4 }), (list) => {
      const able = own.some((request) => allows(list, request));
      expect(able && policyAdministrators(text(list), OWN).verdict === 'nobody').toBe(false);
    }),
    RUNS,
  );
});

test('strangers are in the universe, and some policies let them through', () => {
  const policy: Statement = { Effect: 'Allow', Principal: '*', Action: ['kms:Decrypt'], Resource: '*' };
  expect(REQUESTS.filter((request) => isStranger(request) && allows([policy], request)).length).toBe(4);
});

function operationsIn(changes: readonly { readonly operations: readonly string[] }[]): readonly string[] {
  return changes.flatMap((change) => change.operations);
}
