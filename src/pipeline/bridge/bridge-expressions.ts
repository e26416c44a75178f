import type { PortableExpression } from '../../core/portable-expression.ts';
import type { ColumnSchema, SqlText } from '../../core/table-schema.ts';
import { carry } from '../../core/types/carry.ts';
import type { LogicalType } from '../../core/types/logical-type.ts';
import { ValueRefused } from '../../core/types/value-refused.ts';
import type { SchemaBridge } from './bridge-schema.ts';
import { carrierOf } from './bridge-table.ts';
import type { BridgedType } from './bridge-types.ts';

/** By column, of one table. */
export type TypesOf = (column: string) => BridgedType | null;

/** Null: there is none, or it has become NULL; `left`: it says what the target can't. */
export function bridgeDefault(
  column: ColumnSchema,
  { had, has, made }: BridgedType,
  bridge: SchemaBridge,
): SqlText | null | 'left' {
  if (column.default === null) return null;
  const { from, to, conversions } = bridge;
  const expression = from.words.read(column.default);
  if (expression === null) return 'left';
  if (expression.kind === 'null') return null;
  if (expression.kind === 'made') return to.words.writeDefault(expression, made) ?? 'left';
  if (expression.kind !== 'literal') return 'left';
  const native = from.words.valueOfLiteral(expression, had.type);
  const carrying = carry(had.type, has.type, conversions);
  if (native === null || carrying.kind === 'refused') return 'left';
  try {
    const carrier = carrierOf(had, carrying.step, has);
    const value = carrier === null ? native : carrier(native);
    if (value === null) return null;
    return to.words.writeDefault({ kind: 'value', value }, made) ?? 'left';
  } catch (error) {
    if (error instanceof ValueRefused) return 'left';
    throw error;
  }
}

/** What rows have to hold; null where the target would not understand it, or otherwise. */
export function bridgeCondition(condition: SqlText, types: TypesOf, { from, to }: SchemaBridge): SqlText | null {
  const expression = from.words.read(condition);
  const made = expression === null ? null : conditionOf(expression, types);
  return made === null ? null : to.words.write(made);
}

/** A value that each server computes by itself: only what has one result at all of them. */
export function bridgeComputed(value: SqlText, types: TypesOf, { from, to }: SchemaBridge): SqlText | null {
  const expression = from.words.read(value);
  return expression !== null && isNumber(expression, types) ? to.words.write(expression) : null;
}

/** Of an index over an expression. */
export function bridgeIndexed(value: SqlText, { from, to }: SchemaBridge): SqlText | null {
  const expression = from.words.read(value);
  return expression === null ? null : to.words.write(expression);
}

/** True or false to both: a number in its place is so to one of them only. Null of what is not. */
function conditionOf(expression: PortableExpression, types: TypesOf): PortableExpression | null {
  switch (expression.kind) {
    case 'binary': {
      const { sign, left, right } = expression;
      if (sign !== 'and' && sign !== 'or') return comparisonOf(expression, types);
      const [one, other] = [conditionOf(left, types), conditionOf(right, types)];
      return one === null || other === null ? null : { ...expression, left: one, right: other };
    }
    case 'not': {
      const of = conditionOf(expression.of, types);
      return of === null ? null : { kind: 'not', of };
    }
    case 'isNull':
      return isValue(expression.of, types) ? expression : null;
    case 'in': {
      const side = sideOf(expression.of, types);
      const list = expression.list.map((one) => (side === null ? null : literalBeside(side, one)));
      return list.every((one) => one !== null) ? { ...expression, list } : null;
    }
    case 'literal':
      return expression.of === 'boolean' ? expression : null;
    case 'column': {
      const { had, has } = types(expression.name) ?? {};
      if (had?.type.kind !== 'boolean') return null;
      if (has?.type.kind === 'boolean') return expression;
      return { kind: 'binary', sign: '=', left: expression, right: { kind: 'literal', of: 'number', text: '1' } };
    }
    default:
      return null;
  }
}

/** One side of a comparison. Two are compared alike by all servers where both have the same `by`. */
interface Side {
  readonly by: string;
  /** The column; of numbers also what is computed of them. */
  readonly type: LogicalType | null;
}

function comparisonOf(
  expression: Extract<PortableExpression, { kind: 'binary' }>,
  types: TypesOf,
): PortableExpression | null {
  const { sign, left, right } = expression;
  if (!/^(?:[<>]=?|=|<>)$/.test(sign)) return null;
  const [one, other] = [sideOf(left, types), sideOf(right, types)];
  const type = one ?? other;
  const isOrdered = type !== null && /^(?:number|date|time|timestamp)/.test(type.by);
  if (type === null || (sign !== '=' && sign !== '<>' && !isOrdered)) return null;
  if (one !== null && other !== null) return one.by === other.by && one.by !== 'enum' ? expression : null;
  const literal = literalBeside(type, one === null ? left : right);
  if (literal === null) return null;
  return one === null ? { ...expression, left: literal } : { ...expression, right: literal };
}

/** Null of a literal, and of what is not the same, or not compared alike, at both sides. */
function sideOf(expression: PortableExpression, types: TypesOf): Side | null {
  if (expression.kind === 'literal') return expression.of === 'number' ? numberSide(expression, types) : null;
  if (expression.kind === 'call' && expression.name === 'length') {
    const { argument } = expression;
    const { had, has } = (argument.kind === 'column' ? types(argument.name) : null) ?? {};
    return had?.type.kind === 'text' && has?.type.kind === 'text' ? { by: 'number', type: null } : null;
  }
  if (expression.kind !== 'column') return numberSide(expression, types);
  const { had, has } = types(expression.name) ?? {};
  if (had === undefined || has === undefined || !isAlike(had.type.kind, has.type.kind)) return null;
  const { type } = had;
  switch (type.kind) {
    case 'integer':
    case 'decimal':
      return { by: 'number', type };
    case 'text': {
      const folds = type.folds || (has.type.kind === 'text' && has.type.folds);
      return folds ? null : { by: 'text', type };
    }
    case 'timestamp':
      // Beside one without a zone a moment is what the session's zone makes of it.
      return has.type.kind === 'timestamp' && has.type.moment === type.moment
        ? { by: `timestamp ${type.moment}`, type }
        : null;
    case 'enum':
    case 'date':
    case 'time':
    case 'boolean':
    case 'uuid':
    case 'bytes':
      return { by: type.kind, type };
    default:
      return null;
  }
}

function numberSide(expression: PortableExpression, types: TypesOf): Side | null {
  return isNumber(expression, types) ? { by: 'number', type: null } : null;
}

/** The literal as all servers read it beside such a side; null where they don't. */
function literalBeside({ by, type }: Side, literal: PortableExpression): PortableExpression | null {
  if (literal.kind !== 'literal') return null;
  const { of, text } = literal;
  const isPlain = of === 'text' || of === 'number';
  if (by === 'number') return isPlain && /^-?\d+(?:\.\d*)?$/.test(text) ? { ...literal, of: 'number' } : null;
  if (of !== 'text') return null;
  const isSame =
    (type?.kind === 'text' && !(type.padded && text.endsWith(' '))) ||
    // Of labels another one may be equal to what is none.
    (type?.kind === 'enum' && type.labels.includes(text)) ||
    (type?.kind === 'date' && isDate(text));
  return isSame ? literal : null;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isValue(expression: PortableExpression, types: TypesOf): boolean {
  if (expression.kind === 'literal') return expression.of !== 'boolean';
  if (expression.kind === 'call') return isValue(expression.argument, types);
  if (expression.kind === 'column') {
    const { had, has } = types(expression.name) ?? {};
    // A text in place of a number, or bytes in place of a UUID, is compared otherwise.
    return had !== undefined && has !== undefined && isAlike(had.type.kind, has.type.kind);
  }
  return isNumber(expression, types);
}

const alike: readonly (readonly string[])[] = [
  ['integer', 'decimal'],
  ['text', 'enum', 'set'],
];

function isAlike(one: string, other: string): boolean {
  return (
    one === other ||
    (one === 'boolean' && other === 'integer') ||
    alike.some((kinds) => kinds.includes(one) && kinds.includes(other))
  );
}

const exactNumbers: ReadonlySet<string> = new Set(['integer', 'decimal']);

function isNumber(expression: PortableExpression, types: TypesOf): boolean {
  switch (expression.kind) {
    case 'literal':
      // With an exponent it is a float to some, which is compared by rounded values.
      return expression.of === 'number' && !/e/i.test(expression.text);
    case 'column': {
      const { had, has } = types(expression.name) ?? {};
      return (
        had !== undefined && has !== undefined && exactNumbers.has(had.type.kind) && exactNumbers.has(has.type.kind)
      );
    }
    case 'call':
      return expression.name === 'abs' && isNumber(expression.argument, types);
    case 'binary':
      return /^[-+*]$/.test(expression.sign) && isNumber(expression.left, types) && isNumber(expression.right, types);
    default:
      return false;
  }
}
