import type { PlainCondition, PlainSign } from '../../src/core/plain-condition.ts';
import { keyLiteral, keyValue } from './key-literal.ts';
import { type ColumnType, integerBases, literalKind } from './target/column-kind.ts';
import { textLiteral } from './target/value-literal.ts';

export interface ConditionColumn {
  /** As the statement calls it. */
  readonly sql: string;
  readonly type: ColumnType;
}

type Comparison = Extract<PlainCondition, { kind: 'comparison' }>;

/** What finds the column that a condition names. */
export type FindColumn = (name: string) => ConditionColumn | undefined;

/**
 * The condition as MySQL and MariaDB answer it as the route's language does; null where they do not. Texts are compared by their bytes in utf8mb4: a
 * collation would hold others equal, too.
 */
export function conditionSql(condition: PlainCondition, find: FindColumn): string | null {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const operands = condition.operands.map((operand) => conditionSql(operand, find));
      return operands.includes(null) ? null : `(${operands.join(condition.kind === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'not': {
      const operand = conditionSql(condition.operand, find);
      return operand === null ? null : `(NOT ${operand})`;
    }
    case 'isNull': {
      const column = find(condition.column);
      return column === undefined ? null : `(${column.sql} IS NULL)`;
    }
    case 'comparison': {
      const column = find(condition.column);
      const sides = column === undefined ? null : sidesOf(column, condition);
      return sides === null ? null : comparedSql(sides, condition);
    }
  }
}

interface Sides {
  readonly term: string;
  readonly constant: string;
  /** Is true of all rows of which they are equal, and finds them by an index. */
  readonly found?: string;
}

function comparedSql({ term, constant, found }: Sides, { sign, nullCounts }: Comparison): string {
  if (!nullCounts) {
    const compared = `(${term} ${operators[sign]} ${constant})`;
    return sign === '=' && found !== undefined ? `(${found} AND ${compared})` : compared;
  }
  const isSame = `(${term} <=> ${constant})`;
  return sign === '=' ? isSame : `(NOT ${isSame})`;
}

/** Written anew: nothing of what somebody has typed becomes SQL. */
const operators: Readonly<Record<PlainSign, string>> = {
  '=': '=',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

function sidesOf({ sql: column, type }: ConditionColumn, { of, divisor, constant }: Comparison): Sides | null {
  const { base, collation } = type;
  switch (of) {
    case 'number': {
      const isWhole = integerBases.has(base);
      if (!isWhole && ((base !== 'decimal' && base !== 'year') || divisor !== null)) return null;
      // Beside a year the server would take 5 for 2005.
      if (base === 'year') return { term: `(${column} + 0)`, constant };
      return { term: divisor === null ? column : `(${column} % ${BigInt(divisor)})`, constant };
    }
    case 'boolean':
      return integerBases.has(base) ? { term: column, constant: constant === 't' ? '1' : '0' } : null;
    case 'float':
      if (base !== 'float' && base !== 'double') return null;
      return { term: `(${column} + 0e0)`, constant: constant.includes('e') ? constant : `${constant}e0` };
    case 'text': {
      if (collation === null || base === 'json') return null;
      // One character more than it has: of a text beyond max_allowed_packet a function makes NULL.
      const beginning = `LEFT(${base === 'enum' || base === 'set' ? `CAST(${column} AS CHAR)` : column}, ${[...constant].length + 1})`;
      const isIndexed = base === 'char' || base === 'varchar';
      return {
        ...(isIndexed && { found: `${column} = ${keyValue({ type }, keyLiteral(constant, { kind: 'text', type }))}` }),
        term: `CAST(CONVERT(${beginning} USING utf8mb4) AS BINARY)`,
        constant: `x'${Buffer.from(constant, 'utf8').toString('hex')}'`,
      };
    }
    case 'bytes':
      return literalKind(type) === 'bytes' ? { term: column, constant: `x'${constant}'` } : null;
    case 'uuid':
      if (base === 'uuid') return { term: `CAST(${column} AS CHAR)`, constant: textLiteral(constant) };
      return base === 'binary' && type.size === 16
        ? { term: column, constant: `x'${constant.replaceAll('-', '')}'` }
        : null;
    case 'date':
      return base === 'date' ? { term: column, constant: `DATE${textLiteral(constant)}` } : null;
    case 'timestamp':
      return base === 'datetime' ? { term: column, constant: `TIMESTAMP${textLiteral(constant)}` } : null;
    case 'timestamptz':
      return base === 'timestamp' ? { term: column, constant: `TIMESTAMP${textLiteral(constant)}` } : null;
  }
}
