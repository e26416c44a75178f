import type { PortableExpression } from '../../../src/core/portable-expression.ts';
import type { SqlText } from '../../../src/core/table-schema.ts';

export interface PortableWords {
  literal(value: Extract<PortableExpression, { kind: 'literal' }>): string;
  made(what: 'now' | 'today' | 'uuid'): string;
  /** The name of a function that counts characters. */
  readonly length: string;
}

/** The expression with parentheses wherever another one stands in it. */
export function writePortable(expression: PortableExpression, words: PortableWords): SqlText {
  return merged(piecesOf(expression, words, true));
}

type Piece = string | { readonly column: string };

function piecesOf(expression: PortableExpression, words: PortableWords, isWhole = false): Piece[] {
  const inside = (of: PortableExpression): Piece[] => piecesOf(of, words);
  const between = (pieces: Piece[]): Piece[] => (isWhole ? pieces : ['(', ...pieces, ')']);
  switch (expression.kind) {
    case 'null':
      return ['NULL'];
    case 'literal':
      return [words.literal(expression)];
    case 'column':
      return [{ column: expression.name }];
    case 'made':
      return [words.made(expression.what)];
    case 'call': {
      const { name, argument } = expression;
      return [`${name === 'length' ? words.length : name}(`, ...piecesOf(argument, words, true), ')'];
    }
    case 'not':
      if (expression.of.kind === 'isNull') return between([...inside(expression.of.of), ' IS NOT NULL']);
      return between(['NOT ', ...inside(expression.of)]);
    case 'isNull':
      return between([...inside(expression.of), ' IS NULL']);
    case 'in': {
      const list = expression.list.flatMap((one, at): Piece[] => [...(at === 0 ? [] : [', ']), ...inside(one)]);
      return between([...inside(expression.of), ' IN (', ...list, ')']);
    }
    case 'binary': {
      const { sign, left, right } = expression;
      return between([...inside(left), ` ${sign.toUpperCase()} `, ...inside(right)]);
    }
  }
}

function merged(pieces: readonly Piece[]): SqlText {
  const made: Piece[] = [];
  for (const piece of pieces) {
    const last = made.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') made[made.length - 1] = last + piece;
    else made.push(piece);
  }
  return made;
}
