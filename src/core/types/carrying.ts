import type { CanonicalValue } from './logical-type.ts';
import { type Condition, ValueRefused } from './value-refused.ts';

/** One step on the way of a value; NULL where a conversion makes it that. Throws a ValueRefused. */
export type Step = (value: CanonicalValue) => CanonicalValue | null;

/** How values of one type become values of another. */
export type Carrying =
  | {
      readonly kind: 'carried';
      /** What each value is checked for. None: every value is carried. */
      readonly conditions: readonly Condition[];
      /** What the route's conversions make another value, where it has to be. */
      readonly converted: readonly Condition[];
      /** Different values may become the same one: only where something is converted. */
      readonly injective: boolean;
      /** Null where the canonical forms are the same and nothing is checked. */
      readonly step: Step | null;
    }
  | { readonly kind: 'refused'; readonly reason: string };

export function exact(step: Step | null = null): Carrying {
  return { kind: 'carried', conditions: [], converted: [], injective: true, step };
}

export function refused(reason: string): Carrying {
  return { kind: 'refused', reason };
}

/** A condition, what tells that a value does not meet it, and what the route has named for that case. */
export interface Check {
  readonly condition: Condition;
  /** False where every value meets it. */
  readonly applies: boolean;
  fails(value: string): boolean;
  /** What a value that fails becomes; absent: it is refused. */
  readonly convert?: ((value: string) => string | null) | undefined;
}

/** Values of text that pass these checks one after the other, each seeing what the one before has made, and then become `last`. */
export function checked(checks: readonly Check[], last: ((value: string) => CanonicalValue) | null = null): Carrying {
  const those = checks.filter(({ applies }) => applies);
  if (those.length === 0) return exact(last === null ? null : (value) => last(value as string));
  const converted = those.filter(({ convert }) => convert !== undefined).map(({ condition }) => condition);
  return {
    kind: 'carried',
    conditions: those.filter(({ convert }) => convert === undefined).map(({ condition }) => condition),
    converted,
    injective: converted.length === 0,
    step: (value) => {
      let text = value as string;
      for (const { condition, fails, convert } of those) {
        if (!fails(text)) continue;
        if (convert === undefined) throw new ValueRefused(condition);
        const other = convert(text);
        if (other === null) return null;
        text = other;
      }
      return last === null ? text : last(text);
    },
  };
}

/** What a conversion to NULL is, where the route names it. */
export function nullIf(setting: 'toNull' | undefined): (() => null) | undefined {
  return setting === undefined ? undefined : () => null;
}
