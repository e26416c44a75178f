import type { Node, TypeName } from 'libpg-query';
import { didYouMean } from '../core/nearest-name.ts';
import { ExpressionProblem } from './problem.ts';
import { typeForms } from './types/type-forms.ts';

/** The grammar turns these into the names of the catalogue; a misspelt one stays as it is. */
const sqlNames = ['boolean', 'smallint', 'integer', 'int', 'bigint', 'decimal', 'real', 'float', 'double', 'character'];

const maxCharacters = 10_485_760;

/** The type that a cast names, with its modifier as the server counts it. */
export function castType(
  node: TypeName | undefined,
  offset: number,
): { readonly type: string; readonly modifier: number } {
  const names = (node?.names ?? []).map((name) => ('String' in name ? (name.String.sval ?? '') : ''));
  const type = names.at(-1) ?? '';
  if (node?.arrayBounds !== undefined || node?.setof === true || node?.pct_type === true)
    throw new ExpressionProblem('a cast to an array is not in the language', offset);
  if (names.length > (names[0] === 'pg_catalog' ? 2 : 1) || !typeForms.has(type))
    throw new ExpressionProblem(
      `no cast to type ${names.join('.')}${didYouMean(type, [...typeForms.keys(), ...sqlNames])}`,
      offset,
    );
  if (type === 'name') throw new ExpressionProblem(`a cast to ${type} is not in the language`, offset);
  return { type, modifier: modifierOf(type, node?.typmods ?? [], offset) };
}

function modifierOf(type: string, nodes: readonly Node[], offset: number): number {
  if (nodes.length === 0) return -1;
  const [first = Number.NaN, second = 0] = nodes.map((node) =>
    'A_Const' in node && node.A_Const.ival !== undefined ? (node.A_Const.ival.ival ?? 0) : Number.NaN,
  );
  if (type === 'varchar' || type === 'bpchar') {
    if (!(first >= 1 && first <= maxCharacters)) throw new ExpressionProblem('a length from 1 is wanted', offset);
    return first + 4;
  }
  if (type !== 'numeric') throw new ExpressionProblem(`${type} with a precision is not in the language`, offset);
  if (!(first >= 1 && first <= 1_000) || !(second >= -1_000 && second <= 1_000))
    throw new ExpressionProblem('numeric has a precision from 1 to 1000 and a scale from -1000 to 1000', offset);
  return ((first << 16) | (second & 0x7ff)) + 4;
}
