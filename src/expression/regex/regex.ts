import { ExpressionFailure } from '../problem.ts';
import { checkLength, unitsAt } from '../types/text.ts';
import { Automaton } from './automaton.ts';
import { type ParsedRegex, parseRegex } from './parse-regex.ts';

interface Compiled extends ParsedRegex {
  readonly automaton: Automaton;
}

/** Patterns are written, not computed: a few for each expression. */
const compiled = new Map<string, Compiled>();
const keptPatterns = 200;

function compile(pattern: string, ignoresCase: boolean): Compiled {
  const key = `${ignoresCase ? 'i' : 'c'}${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const parsed = parseRegex(pattern, ignoresCase);
  const made = { ...parsed, automaton: new Automaton(parsed.regex) };
  if (compiled.size >= keptPatterns) compiled.clear();
  compiled.set(key, made);
  return made;
}

/** What is found has to be told, not only whether: the longest match of the first place where there is one. */
function finder(pattern: string, ignoresCase: boolean): Compiled {
  const found = compile(pattern, ignoresCase);
  if (found.isLazy) throw new ExpressionFailure('a quantifier that takes as little as it can ("*?") is for ~ only');
  return found;
}

/** ~ and ~*. */
export function matchesRegex(text: string, pattern: string, ignoresCase: boolean): boolean {
  return compile(pattern, ignoresCase).automaton.isIn(text);
}

/** substring(text from pattern). */
export function substringOfRegex(text: string, pattern: string): string | null {
  const { automaton, groups } = finder(pattern, false);
  if (groups > 0)
    throw new ExpressionFailure(
      'a group in the pattern of substring is not in the language (write "(?:" where none is wanted)',
    );
  const found = find(automaton, text, 0);
  return found === null ? null : text.slice(found.start, found.end);
}

export function replaceRegex(text: string, pattern: string, by: string, flags: string): string {
  if (!/^[gic]*$/.test(flags))
    throw new ExpressionFailure('flags of regexp_replace other than g, i and c are not in the language');
  const last = flags.replaceAll('g', '').at(-1);
  const { automaton } = finder(pattern, last === 'i');
  const pieces = replacement(by);
  const isAll = flags.includes('g');
  let result = '';
  let copied = 0;
  for (let from = 0; from <= text.length; ) {
    const found = find(automaton, text, from);
    if (found === null) break;
    result += text.slice(copied, found.start) + pieces.join(text.slice(found.start, found.end));
    checkLength(result.length);
    copied = found.end;
    if (!isAll) break;
    // Of a match of nothing the search goes on behind the next character.
    from = found.end > found.start ? found.end : found.end + (found.end < text.length ? unitsAt(text, found.end) : 1);
  }
  return result + text.slice(copied);
}

/** The text between the places where the match itself goes (`\&`). */
function replacement(by: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (let at = 0; at < by.length; at++) {
    if (by[at] !== '\\') piece += by[at];
    else if (by[++at] === '\\') piece += '\\';
    else if (by[at] === '&') {
      pieces.push(piece);
      piece = '';
    } else
      throw new ExpressionFailure(
        'of the escapes in what regexp_replace writes only "\\&" (the match) and "\\\\" are in the language, not "\\1" (a group: take the parts with substring and join them with ||)',
      );
  }
  return [...pieces, piece];
}

function find(
  automaton: Automaton,
  text: string,
  from: number,
): { readonly start: number; readonly end: number } | null {
  for (let start = from; start <= text.length; start += start < text.length ? unitsAt(text, start) : 1) {
    const end = automaton.endOfMatch(text, start);
    if (end >= 0) return { start, end };
  }
  return null;
}
