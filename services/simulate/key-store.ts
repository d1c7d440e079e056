import type { Call } from './record.ts';

/** The company's CloudHSM key store. */
export const KEY_STORE = {
  customKeyStoreId: 'cks-0c4e9fb17d2ab5386',
  customKeyStoreName: 'larkspur-hsm',
  clusterId: 'cluster-7hx2kq4mvna',
} as const;

/** ConnectCustomKeyStore, DisconnectCustomKeyStore, …: about no key. */
export function keyStoreCall(operation: string): Call {
  return {
    operation,
    readOnly: operation.startsWith('Describe'),
    request: { customKeyStoreId: KEY_STORE.customKeyStoreId },
    ...(operation.startsWith('Describe')
      ? {}
      : { extra: { customKeyStoreName: KEY_STORE.customKeyStoreName, clusterId: KEY_STORE.clusterId } }),
  };
}
