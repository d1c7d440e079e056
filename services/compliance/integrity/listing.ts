import { HOUR } from '../../core/clock.ts';
import { chainId, type DigestName } from './object-name.ts';

/** The period to validate, epoch milliseconds; null = as far as there is something. */
export interface Period {
  readonly from: number | null;
  readonly to: number | null;
}

/** The digests of one chain, newest first. */
export interface ChainListing {
  /** Any of its names, for account, Region and trail. */
  readonly sample: DigestName;
  /** Newer than the period, oldest first. */
  readonly after: readonly DigestName[];
  readonly inside: readonly DigestName[];
  /** The newest that is older than the period. */
  readonly before: DigestName | null;
}

/** Sorts names into chains, each cut by the period: what covers any part of it is inside, as far as names can tell. */
export function listChains(names: readonly DigestName[], period: Period): ChainListing[] {
  const chains = new Map<string, DigestName[]>();
  for (const name of names) {
    const chain = chains.get(chainId(name));
    if (chain) chain.push(name);
    else chains.set(chainId(name), [name]);
  }
  return [...chains.values()].map((chain) => cut(chain, period));
}

function cut(chain: readonly DigestName[], { from, to }: Period): ChainListing {
  const newestFirst = chain.toSorted((a, b) => b.time - a.time || (a.key < b.key ? 1 : -1));
  const isAfter = ({ time }: DigestName): boolean => to !== null && time - HOUR >= to;
  const isBefore = ({ time }: DigestName): boolean => from !== null && time <= from;
  return {
    sample: newestFirst[0] as DigestName,
    after: newestFirst.filter(isAfter).reverse(),
    inside: newestFirst.filter((name) => !isAfter(name) && !isBefore(name)),
    before: newestFirst.find(isBefore) ?? null,
  };
}
