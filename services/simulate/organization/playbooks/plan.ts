import type { Playbook, Variant } from '../contract.ts';
import { VARIANTS } from '../contract.ts';
import { Telling } from './telling.ts';

/** A playbook as its file writes it down. */
export interface Plan extends Omit<Playbook, 'tell' | 'variants'> {
  readonly variants: Readonly<Record<Variant, Way>>;
}

export interface Way {
  /** A few words. */
  readonly how: string;
  /** Instead of the plan's, where this variant shows by other detectors. */
  readonly expects?: readonly string[];
  /** Writes the records. @returns the event time of the one from which on an expert with all records would know what happens */
  tell(telling: Telling): number;
}

export function playbook(plan: Plan): Playbook {
  const { expects, variants } = plan;
  const how = VARIANTS.map((variant) => [variant, variants[variant].how] as const);
  return {
    ...plan,
    variants: Object.fromEntries(how) as Record<Variant, string>,
    tell(stage) {
      const telling = new Telling(stage);
      const way = variants[stage.variant];
      const recognisableAt = way.tell(telling);
      return telling.story({ playbook: plan.id, expects: way.expects ?? expects, recognisableAt });
    },
  };
}
