import type { PlainCondition, PlainKind, PlainSign } from '../core/plain-condition.ts';
import { bindExpression, ExpressionFailure, ExpressionProblem, type ParsedExpression } from './expression.ts';
import { type ExpressionColumn, valueType } from './expression-column.ts';
import { readsNothing, type Syntax } from './syntax.ts';

/** What the condition says in the words of any database; null where it says more. It is bound to these columns already. */
export function plainCondition(
  { syntax }: ParsedExpression,
  columns: readonly ExpressionColumn[],
): PlainCondition | null {
  try {
    return conditionOf(syntax, columns);
  } catch (error) {
    // Constants that have no value in the type that they are compared in are the expression's own matter.
    if (error instanceof NotPlain || error instanceof ExpressionProblem || error instanceof ExpressionFailure)
      return null;
    throw error;
  }
}

class NotPlain extends Error {}

const flipped: Readonly<Record<PlainSign, PlainSign>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function conditionOf(syntax: Syntax, columns: readonly ExpressionColumn[]): PlainCondition {
  switch (syntax.kind) {
    case 'and':
    case 'or':
      return { kind: syntax.kind, operands: syntax.operands.map((one) => conditionOf(one, columns)) };
    case 'not':
      return negated(syntax.operands.map((one) => conditionOf(one, columns))[0]);
    case 'test': {
      if (syntax.test !== 'null' || syntax.operand.kind !== 'column') throw new NotPlain();
      const found: PlainCondition = { kind: 'isNull', column: syntax.operand.name };
      return syntax.negated ? negated(found) : found;
    }
    case 'in': {
      const operands = syntax.items.map((item) => comparison('=', syntax.operand, item, columns));
      // A server brings the constants to one type first, which for floats may round them otherwise.
      if (operands.length > 1 && operands.some(({ of }) => of === 'float')) throw new NotPlain();
      return syntax.negated ? negated({ kind: 'or', operands }) : { kind: 'or', operands };
    }
    case 'distinct': {
      const [left, right] = syntax.operands;
      if (left === undefined || right === undefined) throw new NotPlain();
      const sign = syntax.negated ? '=' : '<>';
      return { ...comparison(sign, left, right, columns), nullCounts: true };
    }
    case 'column':
      return compared({ column: syntax.name, divisor: null }, { sign: '=', value: trueLiteral }, columns);
    case 'call': {
      const [left, right, more] = syntax.arguments;
      if (!syntax.isOperator || left === undefined || right === undefined || more !== undefined) throw new NotPlain();
      if (!(syntax.name in flipped)) throw new NotPlain();
      return comparison(syntax.name as PlainSign, left, right, columns);
    }
    default:
      throw new NotPlain();
  }
}

const trueLiteral: Syntax = { kind: 'literal', type: 'bool', text: 'true', offset: 0 };

function negated(operand: PlainCondition | undefined): PlainCondition {
  if (operand === undefined) throw new NotPlain();
  return { kind: 'not', operand };
}

interface Term {
  readonly column: string;
  readonly divisor: string | null;
}

function comparison(
  sign: PlainSign,
  left: Syntax,
  right: Syntax,
  columns: readonly ExpressionColumn[],
): Extract<PlainCondition, { kind: 'comparison' }> {
  if (readsNothing(left)) return compared(termOf(right), { sign: flipped[sign], value: left }, columns);
  return compared(termOf(left), { sign, value: right }, columns);
}

function termOf(syntax: Syntax): Term {
  if (syntax.kind === 'column') return { column: syntax.name, divisor: null };
  const [column, divisor] = syntax.kind === 'call' && syntax.isOperator && syntax.name === '%' ? syntax.arguments : [];
  if (column?.kind !== 'column' || divisor?.kind !== 'literal' || !/^[1-9]\d{0,17}$/.test(divisor.text ?? ''))
    throw new NotPlain();
  return { column: column.name, divisor: divisor.text };
}

const kinds: Readonly<Record<string, PlainKind>> = {
  int2: 'number',
  int4: 'number',
  int8: 'number',
  numeric: 'number',
  float4: 'float',
  float8: 'float',
  text: 'text',
  varchar: 'text',
  bool: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  uuid: 'uuid',
  bytea: 'bytes',
};

const unordered: ReadonlySet<PlainKind> = new Set(['text', 'boolean', 'uuid', 'bytes']);

function compared(
  { column: name, divisor }: Term,
  { sign, value }: { readonly sign: PlainSign; readonly value: Syntax },
  columns: readonly ExpressionColumn[],
): Extract<PlainCondition, { kind: 'comparison' }> {
  const type = valueType(columns.find((column) => column.name === name)?.type ?? '');
  const of = kinds[type];
  if (of === undefined || (divisor !== null && of !== 'number')) throw new NotPlain();
  // Which of two texts comes first is a matter of collations at each side.
  if (sign !== '=' && sign !== '<>' && unordered.has(of)) throw new NotPlain();
  const constant = constantOf(value, { type, of });
  return { kind: 'comparison', column: name, divisor, of, sign, constant, nullCounts: false };
}

/** What of a constant's text, as it is printed, all databases read alike. */
const forms: Readonly<Record<PlainKind, RegExp>> = {
  number: /^-?\d{1,35}(?:\.\d{1,30})?$/,
  float: /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/,
  text: /^[^\0]*$/,
  boolean: /^[tf]$/,
  date: /^\d{4}-\d\d-\d\d$/,
  timestamp: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?$/,
  timestamptz: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?$/,
  uuid: /^[-0-9a-f]{36}$/,
  bytes: /^[0-9a-f]*$/,
};

interface ConstantPlace {
  /** Of the column. */
  readonly type: string;
  readonly of: PlainKind;
}

/** A number beside a number is compared as what it is; what stands in quotes is of the column's own type, and so is what is cast to it. */
function constantOf(syntax: Syntax, { type, of }: ConstantPlace): string {
  const isCast = syntax.kind === 'cast' && syntax.modifier === -1;
  if (isCast && syntax.type !== type) throw new NotPlain();
  const operand = isCast ? syntax.operand : syntax;
  const [literal, more] = operand.kind === 'call' && operand.name === '-' ? operand.arguments : [operand];
  if (literal?.kind !== 'literal' || literal.text === null || more !== undefined) throw new NotPlain();
  const wanted = isCast || literal.type === 'unknown' ? type : writtenAs(literal.type, { type, of });
  const cast: Syntax = { kind: 'cast', operand, type: wanted, modifier: -1, offset: syntax.offset };
  const bound = bindExpression({ text: '', columns: [], syntax: cast }, [], { as: 'value' });
  const text = plainText(bound.evaluate([]) ?? '', wanted);
  // Beyond these years calendars, and the year 0, are each vendor's own.
  if (!forms[of].test(text) || (/^(?:date|timestamp)/.test(of) && text < '1000')) throw new NotPlain();
  return text;
}

/** The type in which a number, or `true`, is compared with a column. */
function writtenAs(literal: string, { type, of }: ConstantPlace): string {
  if (of === 'boolean' && literal === 'bool') return type;
  if (literal === 'bool' || (of !== 'number' && of !== 'float')) throw new NotPlain();
  return of === 'float' ? 'float8' : 'numeric';
}

function plainText(printed: string, type: string): string {
  switch (type) {
    case 'bytea':
      return printed.replace(/^\\x/, '');
    case 'timestamptz':
      return printed.replace(/\+00$/, '');
    case 'float4':
      // As the double that it is, which is what it is compared as.
      return String(Math.fround(Number(printed)));
    case 'float8':
      return String(Number(printed));
    default:
      return printed;
  }
}
