import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { defineEventDetector } from '../contract.ts';
import { argument, callerFirst, deed, eventMatch, moment, plain } from '../wording.ts';

interface Change {
  readonly verb: string;
  readonly done: string;
  readonly danger: string;
}

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  [
    'CreateCustomKeyStore',
    { verb: 'created', done: 'created', danger: 'Keys made in it live in hardware that somebody outside AWS KMS controls.' },
  ],
  [
    'UpdateCustomKeyStore',
    { verb: 'changed the settings of', done: 'changed', danger: 'A changed proxy, credential or cluster decides who holds the keys.' },
  ],
  [
    'DisconnectCustomKeyStore',
    {
      verb: 'disconnected',
      done: 'disconnected',
      danger: 'Every key in it is unavailable, and all calls under them fail, until it is connected again.',
    },
  ],
  [
    'DeleteCustomKeyStore',
    {
      verb: 'deleted',
      done: 'deleted',
      danger: 'A deleted key store cannot be brought back; AWS allows it only when no key is left in it.',
    },
  ],
]);

/** Custom key stores: https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html */
export default defineEventDetector({
  id: 'key-store-changed',
  title: 'Custom key store was created, changed, disconnected or deleted',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'account',
  events: [...CHANGES.keys(), 'ConnectCustomKeyStore'].map((operation) => `kms:${operation}`),
  params: z.strictObject({}),
  techniques: ['T1486', 'T1489'],
  blindSpots: [
    'An UpdateCustomKeyStore record does not say what the settings were before.',
    'Loss of the hardware or proxy behind a store writes no event.',
  ],
  falsePositives: ['Maintenance of the CloudHSM cluster or of the external key store proxy.'],

  dedupKey: (event) => [
    event.account,
    event.region,
    storeOf(event),
    event.operation === 'ConnectCustomKeyStore' ? 'DisconnectCustomKeyStore' : event.operation,
  ],

  evaluate({ event }) {
    const change = event.service === 'kms' ? CHANGES.get(event.operation) : undefined;
    if (change === undefined) return null;
    const endpoint = event.detail?.xksProxyUriEndpoint;
    const proxy = endpoint === undefined ? '' : ` The call sets the external key store proxy endpoint ${plain(endpoint, 200)}.`;
    const region = argument(event.region, 'REGION');
    const id = argument(event.detail?.customKeyStoreId ?? '', 'KEY_STORE_ID');
    return eventMatch(event, {
      title: `Custom key store was ${change.done}`,
      explanation: {
        what: `${callerFirst(event)} ${change.verb} custom key store ${storeOf(event)} in ${plain(event.region, 32)} on ${moment(event.eventTime)}.${proxy}`,
        why: `${change.danger} Expected are such calls only in a planned change.`,
        benign: 'Planned work on the CloudHSM cluster or on the external key store proxy.',
        now: [
          'Ask the caller for the change request.',
          `Look at the store: aws kms describe-custom-key-stores --custom-key-store-id ${id} --region ${region}`,
          ...(event.operation === 'DisconnectCustomKeyStore'
            ? [`Connect it again: aws kms connect-custom-key-store --custom-key-store-id ${id} --region ${region}`]
            : []),
          ...(endpoint === undefined ? [] : ['Check that the proxy endpoint belongs to you.']),
        ],
      },
      details: {
        key_store_id: event.detail?.customKeyStoreId ?? null,
        key_store_name: event.detail?.customKeyStoreName ?? null,
        xks_proxy_endpoint: endpoint ?? null,
      },
    });
  },

  mends({ event }) {
    return event.operation === 'ConnectCustomKeyStore' ? `The key store was connected again: ${deed(event)}.` : null;
  },
});

function storeOf(event: StoredEvent): string {
  return plain(event.detail?.customKeyStoreId ?? event.detail?.customKeyStoreName ?? '(unnamed)', 128);
}
