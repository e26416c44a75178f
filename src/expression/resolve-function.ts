import { categoryOf, isImplicit, isPreferred, type Signature } from './signature-catalogue.ts';

/** Or none, or several that nothing decides between. */
export type Resolution = Signature | 'none' | 'ambiguous';

/**
 * Chooses among functions or operators of one name as the server does ("Type Conversion" in PostgreSQL's manual): an
 * exact match; else those that can be called, with the most exact matches, then with the most preferred types, then
 * by what the literals of unknown type could be. `types` may hold `unknown`.
 */
export function resolveFunction(all: readonly Signature[], types: readonly string[], isOperator: boolean): Resolution {
  const ofLength = all.filter((signature) => signature.arguments.length === types.length);
  // An operator takes a literal for the type of its other side first.
  const [left, right] = types;
  const assumed =
    isOperator && types.length === 2 && left !== undefined && right !== undefined && left !== right
      ? [left === 'unknown' ? right : left, right === 'unknown' ? left : right]
      : types;
  const exact = ofLength.find((signature) => signature.arguments.every((type, i) => type === assumed[i]));
  if (exact !== undefined) return exact;
  const callable = ofLength.filter((signature) => canCall(signature, types));
  if (callable.length === 0) return 'none';
  if (callable.length === 1) return callable[0] ?? 'none';
  return chooseBest(callable, types);
}

function canCall(signature: Signature, types: readonly string[]): boolean {
  return signature.arguments.every((wanted, i) => isImplicit(types[i] ?? '', wanted));
}

function chooseBest(callable: readonly Signature[], types: readonly string[]): Resolution {
  let left = withMost(callable, (wanted, i) => wanted === types[i] && wanted !== 'unknown');
  if (left.length === 1) return left[0] ?? 'none';
  left = withMost(left, (wanted, i) => {
    const given = types[i] ?? '';
    if (given === 'unknown') return false;
    return wanted === given || (isPreferred(wanted) && categoryOf(wanted) === categoryOf(given));
  });
  if (left.length === 1) return left[0] ?? 'none';
  if (!types.includes('unknown')) return 'ambiguous';
  left = byCategoryOfUnknown(left, types);
  if (left.length === 1) return left[0] ?? 'none';
  // Where all known types are the same, a literal is taken for one of them.
  const known = new Set(types.filter((type) => type !== 'unknown'));
  const [only] = known;
  if (known.size === 1 && only !== undefined) {
    const fitting = left.filter((signature) => signature.arguments.every((wanted) => isImplicit(only, wanted)));
    if (fitting.length === 1) return fitting[0] ?? 'none';
  }
  return 'ambiguous';
}

function withMost(all: readonly Signature[], counts: (wanted: string, i: number) => boolean): readonly Signature[] {
  const scores = all.map((signature) => signature.arguments.filter(counts).length);
  const best = Math.max(...scores);
  return all.filter((_, i) => scores[i] === best);
}

/** At each literal: texts where any candidate takes a text, else what all agree on, and the preferred type of it. */
function byCategoryOfUnknown(all: readonly Signature[], types: readonly string[]): readonly Signature[] {
  const wanted: { readonly i: number; readonly category: string; readonly preferred: boolean }[] = [];
  for (const [i, type] of types.entries()) {
    if (type !== 'unknown') continue;
    const given = all.map((signature) => signature.arguments[i] ?? '');
    const categories = new Set(given.map(categoryOf));
    const [first] = categories;
    const category = categories.has('S') ? 'S' : first;
    if (category === undefined || (categories.size > 1 && category !== 'S')) return all;
    wanted.push({ i, category, preferred: given.some((t) => categoryOf(t) === category && isPreferred(t)) });
  }
  const kept = all.filter((signature) =>
    wanted.every(({ i, category, preferred }) => {
      const type = signature.arguments[i] ?? '';
      return categoryOf(type) === category && (!preferred || isPreferred(type));
    }),
  );
  return kept.length > 0 ? kept : all;
}

/** The one type of the branches of a CASE, a COALESCE and the like; null where there is none. */
export function commonType(types: readonly string[]): string | null {
  let chosen = 'unknown';
  for (const type of types) {
    if (type === 'unknown' || type === chosen) continue;
    if (chosen === 'unknown') chosen = type;
    else if (categoryOf(type) !== categoryOf(chosen)) return null;
    else if (!isPreferred(chosen) && isImplicit(chosen, type) && !isImplicit(type, chosen)) chosen = type;
  }
  if (chosen === 'unknown') return 'text';
  return types.every((type) => isImplicit(type, chosen)) ? chosen : null;
}
