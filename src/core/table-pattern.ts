import type { TableExpression } from '../core/route.ts';

/** Text that is no table name or glob; the message says why. */
export class PatternProblem extends Error {}

type Token = { readonly literal: string } | { readonly wildcard: '*' | '?' } | { readonly placeholder: string };

/** Which tables an entry of the configuration means: one by name, or all that match a glob. */
export interface TablePattern {
  readonly text: string;
  /** The table where the pattern names exactly one. */
  readonly exact: { readonly schema: string; readonly name: string } | null;
  matches(schema: string, name: string): boolean;
  matchesSchema(schema: string): boolean;
  readonly expression: TableExpression;
}

/**
 * Reads `schema.table` as SQL does: what is outside of double quotes is lower case, `""` inside of them is one. `*`
 * stands for any characters and `?` for one, never inside of quotes and never across the dot. Capitals outside of
 * quotes are refused and not folded: whoever writes them either means them, or the other case.
 */
export function parseTablePattern(text: string): TablePattern {
  const [schema, name] = parseParts(text, (character) => {
    if (character === '*' || character === '?') return { wildcard: character };
    return null;
  });
  const exactSchema = exactText(schema);
  const exactName = exactText(name);
  const exact = exactSchema !== null && exactName !== null ? { schema: exactSchema, name: exactName } : null;
  const schemaExpression = expression(schema);
  const nameExpression = expression(name);
  return {
    text,
    exact,
    matches: (s, n) => schemaExpression.test(s) && nameExpression.test(n),
    matchesSchema: (s) => schemaExpression.test(s),
    expression: { schema: schemaExpression.source, name: nameExpression.source },
  };
}

/** Reads a target such as `crm.{table}` or `"CRM"."{schema}_{table}"`. */
export function parseTargetTemplate(
  text: string,
): (source: { readonly schema: string; readonly name: string }) => { schema: string; name: string } {
  const [schema, name] = parseParts(text, () => null, true);
  const fill = (tokens: readonly Token[], source: { readonly schema: string; readonly name: string }): string =>
    tokens
      .map((token) => {
        if ('literal' in token) return token.literal;
        return 'placeholder' in token && token.placeholder === 'schema' ? source.schema : source.name;
      })
      .join('');
  return (source) => ({ schema: fill(schema, source), name: fill(name, source) });
}

function parseParts(
  text: string,
  wildcard: (character: string) => Token | null,
  placeholders = false,
): readonly [readonly Token[], readonly Token[]] {
  const parts: Token[][] = [[]];
  let rest = text;
  while (rest !== '') {
    const part = parts.at(-1) ?? [];
    const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
    const placeholder = placeholders ? /^\{(schema|table)\}/.exec(rest) : null;
    const character = rest.slice(0, 1);
    const glob = wildcard(character);
    let length = 1;
    if (rest.startsWith('.')) {
      parts.push([]);
    } else if (quoted?.[1] !== undefined) {
      part.push(...quotedTokens(quoted[1].replaceAll('""', '"'), placeholders));
      length = quoted[0].length;
    } else if (placeholder?.[1] !== undefined) {
      part.push({ placeholder: placeholder[1] });
      length = placeholder[0].length;
    } else if (glob !== null) {
      part.push(glob);
    } else {
      length = String.fromCodePoint(rest.codePointAt(0) ?? 0).length;
      part.push({ literal: plainCharacter(rest.slice(0, length), placeholders) });
    }
    rest = rest.slice(length);
  }
  const [schema, name] = parts;
  if (parts.length !== 2 || schema === undefined || name === undefined)
    throw new PatternProblem('wants a schema and a table, such as public.orders; a dot in a name needs double quotes');
  for (const part of [schema, name])
    if (part.length === 0 || part.some((token) => 'literal' in token && token.literal.includes('\0')))
      throw new PatternProblem('the schema or the table has no name');
  return [schema, name];
}

/** Placeholders stand inside of quotes too, since a template in quotes is the only way to add capitals to them. */
function quotedTokens(text: string, placeholders: boolean): Token[] {
  if (text === '') throw new PatternProblem('there is nothing between the quotes');
  if (!placeholders) return [{ literal: text }];
  return text
    .split(/(\{(?:schema|table)\})/)
    .filter((piece) => piece !== '')
    .map((piece) => (/^\{(schema|table)\}$/.test(piece) ? { placeholder: piece.slice(1, -1) } : { literal: piece }));
}

function plainCharacter(character: string, placeholders: boolean): string {
  if (/^[\p{Ll}\p{Lo}\p{M}0-9_$]$/u.test(character)) return character;
  if (character === '"') throw new PatternProblem('a double quote is not closed');
  if (/^\p{Lu}$/u.test(character))
    throw new PatternProblem('capitals need double quotes, such as public."Orders" (in YAML: \'public."Orders"\')');
  if (placeholders && /^[{*?]$/.test(character))
    throw new PatternProblem('a target holds names, {schema} and {table}, nothing else');
  throw new PatternProblem(`the character ${JSON.stringify(character)} needs double quotes; globs are * and ?`);
}

function exactText(tokens: readonly Token[]): string | null {
  let text = '';
  for (const token of tokens) {
    if (!('literal' in token)) return null;
    text += token.literal;
  }
  return text;
}

function expression(tokens: readonly Token[]): RegExp {
  const source = tokens.map((token) => {
    if ('literal' in token) return token.literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    return 'wildcard' in token && token.wildcard === '*' ? '.*' : '.';
  });
  // Repeated stars mean the same as one, and would make the expression slow.
  return new RegExp(`^${source.join('').replaceAll(/(?:\.\*)+/g, '.*')}$`, 'su');
}
