import { ExpressionFailure } from '../problem.ts';
import type { CharacterSet } from './character-set.ts';
import type { Regex } from './parse-regex.ts';

/** A place in a pattern: what it wants next, and where that leads. */
type Place =
  | { readonly kind: 'set'; readonly set: CharacterSet; next: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'fork'; readonly next: number[] }
  | { readonly kind: 'match' };

const maxPlaces = 5_000;
const maxStates = 2_000;

/** All places that a text can have led to. */
interface State {
  readonly places: readonly number[];
  /** The pattern can end here. */
  readonly isMatch: boolean;
  /** The pattern can end here if the text does. */
  readonly isMatchAtEnd: boolean;
  /** By class of the next character. */
  readonly next: (State | undefined)[];
}

/**
 * Matches a pattern in a time that grows with the text alone: all ways through the pattern are followed at once, and
 * the sets of places that they lead to are kept (the subset construction, made as it is needed).
 */
export class Automaton {
  readonly #places: Place[] = [];
  readonly #first: number;
  /** Characters between two bounds are the same to the pattern. */
  readonly #bounds: readonly number[];
  readonly #ascii: readonly number[];
  readonly #initial: State[] = [];
  #states = new Map<string, State>();

  constructor(regex: Regex) {
    const match = this.#add({ kind: 'match' });
    this.#first = this.#build(regex, match);
    const sets = this.#places.flatMap((place) => (place.kind === 'set' ? place.set : []));
    this.#bounds = [...new Set([0, ...sets.flatMap(([from, to]) => [from, to + 1])])].sort((a, b) => a - b);
    this.#ascii = Array.from({ length: 128 }, (_, code) => this.#classOf(code));
  }

  /** Whether the pattern matches anywhere. */
  isIn(text: string): boolean {
    let state = this.#from(true, true);
    for (let at = 0; at < text.length; ) {
      if (state.isMatch) return true;
      const code = text.codePointAt(at) ?? 0;
      state = this.#step(state, code, true);
      at += code > 0xffff ? 2 : 1;
    }
    return state.isMatchAtEnd;
  }

  /** Where the longest match ends that begins there; -1 where none does. */
  endOfMatch(text: string, from: number): number {
    let state = this.#from(from === 0, false);
    let end = -1;
    let at = from;
    while (at < text.length && state.places.length > 0) {
      if (state.isMatch) end = at;
      const code = text.codePointAt(at) ?? 0;
      state = this.#step(state, code, false);
      at += code > 0xffff ? 2 : 1;
    }
    if (state.isMatch || (at === text.length && state.isMatchAtEnd)) end = at;
    return end;
  }

  #add(place: Place): number {
    if (this.#places.length >= maxPlaces) throw new ExpressionFailure('a regular expression is too large');
    return this.#places.push(place) - 1;
  }

  /** The place where the pattern begins that goes on at `next`. */
  #build(regex: Regex, next: number): number {
    switch (regex.kind) {
      case 'set':
        return this.#add({ kind: 'set', set: regex.set, next });
      case 'start':
      case 'end':
        return this.#add({ kind: regex.kind, next });
      case 'all':
        return regex.parts.reduceRight((behind, part) => this.#build(part, behind), next);
      case 'any':
        return this.#add({ kind: 'fork', next: regex.parts.map((part) => this.#build(part, next)) });
      default:
        return this.#repeat(regex, next);
    }
  }

  #repeat({ part, min, max }: Regex & { kind: 'repeat' }, next: number): number {
    let begin = next;
    if (max === null) {
      const fork: number[] = [next];
      begin = this.#add({ kind: 'fork', next: fork });
      fork.push(this.#build(part, begin));
    }
    for (let times = min; times < (max ?? min); times++)
      begin = this.#add({ kind: 'fork', next: [next, this.#build(part, begin)] });
    for (let times = 0; times < min; times++) begin = this.#build(part, begin);
    return begin;
  }

  #classOf(code: number): number {
    let low = 0;
    let high = this.#bounds.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#bounds[middle] ?? 0) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #from(isAtStart: boolean, isSearch: boolean): State {
    const at = (isAtStart ? 1 : 0) + (isSearch ? 2 : 0);
    const state = this.#initial[at] ?? this.#state([this.#first], isAtStart, isSearch);
    this.#initial[at] = state;
    return state;
  }

  /** `isSearch`: a match may also begin behind the character. */
  #step(state: State, code: number, isSearch: boolean): State {
    const of = code < 128 ? (this.#ascii[code] ?? 0) : this.#classOf(code);
    const known = state.next[of];
    if (known !== undefined) return known;
    const to = state.places.flatMap((at) => {
      const place = this.#places[at];
      return place?.kind === 'set' && place.set.some(([from, last]) => from <= code && code <= last)
        ? [place.next]
        : [];
    });
    if (isSearch) to.push(this.#first);
    const made = this.#state(to, false, isSearch);
    state.next[of] = made;
    return made;
  }

  #state(begin: readonly number[], isAtStart: boolean, isSearch: boolean): State {
    const inside = this.#reach(begin, isAtStart, false);
    const places = inside.filter((at) => this.#places[at]?.kind === 'set').sort((a, b) => a - b);
    const isMatch = inside.some((at) => this.#places[at]?.kind === 'match');
    const isMatchAtEnd =
      isMatch || this.#reach(begin, isAtStart, true).some((at) => this.#places[at]?.kind === 'match');
    const key = `${places.join()} ${isMatch} ${isMatchAtEnd} ${isSearch}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= maxStates) {
      this.#states = new Map();
      this.#initial.length = 0;
    }
    const state: State = { places, isMatch, isMatchAtEnd, next: [] };
    this.#states.set(key, state);
    return state;
  }

  /** All places that are reached without a character. */
  #reach(begin: readonly number[], isAtStart: boolean, isAtEnd: boolean): number[] {
    const reached = new Set<number>();
    const open = [...begin];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (reached.has(at)) continue;
      reached.add(at);
      const place = this.#places[at];
      if (place?.kind === 'fork') open.push(...place.next);
      else if ((place?.kind === 'start' && isAtStart) || (place?.kind === 'end' && isAtEnd)) open.push(place.next);
    }
    return [...reached];
  }
}
