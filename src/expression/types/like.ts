import { ExpressionFailure } from '../problem.ts';
import { unitsAt } from './text.ts';

type Matcher = (text: string) => boolean;

/** One character, any character, or any number of them. */
type Step = string | typeof anyOne | typeof anyMany;
const anyOne = Symbol('_');
const anyMany = Symbol('%');

/** Patterns are nearly always the same for all rows. */
const matchers = new Map<string, Matcher>();
const keptMatchers = 100;

/** LIKE with the escape character of the backslash. */
export function like(text: string, pattern: string): boolean {
  return matcherOf(pattern)(text);
}

/** Fails for a pattern that ends with its escape character. */
export function matcherOf(pattern: string): Matcher {
  const known = matchers.get(pattern);
  if (known !== undefined) return known;
  if (matchers.size >= keptMatchers) matchers.clear();
  const made = likeMatcher(pattern);
  matchers.set(pattern, made);
  return made;
}

function likeMatcher(pattern: string): Matcher {
  const steps = stepsOf(pattern);
  const plain = (part: readonly Step[]): string | null =>
    part.every((step) => typeof step === 'string') ? part.join('') : null;
  const exact = plain(steps);
  if (exact !== null) return (text) => text === exact;
  if (steps.at(-1) === anyMany) {
    const start = plain(steps.slice(0, -1));
    if (start !== null) return (text) => text.startsWith(start);
    const middle = steps[0] === anyMany ? plain(steps.slice(1, -1)) : null;
    if (middle !== null) return (text) => text.includes(middle);
  }
  return (text) => matches(text, steps);
}

function stepsOf(pattern: string): Step[] {
  const steps: Step[] = [];
  const all = [...pattern];
  for (let i = 0; i < all.length; i++) {
    const character = all[i] ?? '';
    if (character === '%') {
      if (steps.at(-1) !== anyMany) steps.push(anyMany);
    } else if (character === '_') steps.push(anyOne);
    else if (character !== '\\') steps.push(character);
    else {
      const escaped = all[++i];
      // The server says so too, though only when its comparison gets there.
      if (escaped === undefined) throw new ExpressionFailure('a LIKE pattern ends with its escape character');
      steps.push(escaped);
    }
  }
  return steps;
}

/** Going back to the last `%` only is enough: an earlier one could not match more. */
function matches(text: string, steps: readonly Step[]): boolean {
  let at = 0;
  let step = 0;
  let back: { at: number; readonly step: number } | null = null;
  while (at < text.length) {
    const wanted = steps[step];
    if (wanted === anyMany) {
      back = { at, step };
      step++;
    } else if (wanted === anyOne) {
      at += unitsAt(text, at);
      step++;
    } else if (wanted !== undefined && text.startsWith(wanted, at)) {
      at += wanted.length;
      step++;
    } else if (back !== null) {
      back.at += unitsAt(text, back.at);
      at = back.at;
      step = back.step + 1;
    } else return false;
  }
  while (steps[step] === anyMany) step++;
  return step === steps.length;
}

/** A pattern with an escape character of its own, written with the backslash; an empty one means none. */
export function withEscape(pattern: string, sign: string): string {
  if ([...sign].length > 1) throw new ExpressionFailure('an escape of LIKE is longer than one character');
  if (sign === '\\') return pattern;
  let result = '';
  let isEscaped = false;
  for (const character of pattern) {
    if (character === sign && !isEscaped) {
      result += '\\';
      isEscaped = true;
      continue;
    }
    result += character === '\\' && !isEscaped ? '\\\\' : character;
    isEscaped = false;
  }
  return result;
}
