import { type BoundExpression, bindExpression, type ParsedExpression, parseExpression } from './expression.ts';
import { type ExpressionColumn, valueType } from './expression-column.ts';
import { ExpressionProblem } from './problem.ts';
import { readsNothing, type Syntax } from './syntax.ts';

/**
 * What `owns` may say: comparisons of columns with constants, and AND, OR, NOT of them. So little that it can be decided, for any two of them,
 * whether some row is in both, and that a server means the same by it.
 */
export function parseShare(text: string): ParsedExpression {
  const parsed = parseExpression(text);
  for (const _ of comparisons(parsed.syntax));
  if (parsed.columns.length === 0) throw new ExpressionProblem('it names no column', 0);
  return parsed;
}

/** Throws ExpressionProblem for what it can't be tied to. */
export function bindShare(parsed: ParsedExpression, columns: readonly ExpressionColumn[]): BoundExpression {
  for (const comparison of comparisons(parsed.syntax)) kindOf(comparison, columns);
  return bindExpression(parsed, columns, { as: 'condition' });
}

/** More rows than that are not tried. */
const mostRows = 100_000;

/**
 * True where no row can be in both. Each comparison looks at one column, and only constants, the places between them and what is left of a
 * division tell its values apart: so it is enough to try one value of each kind.
 */
export function areApart(a: ParsedExpression, b: ParsedExpression, columns: readonly ExpressionColumn[]): boolean {
  // Of a column that is wider at the other source there are more values.
  const wide = columns.map((column) => (isWhole(column) ? { ...column, type: widest } : column));
  const [one, other] = [bindShare(a, wide), bindShare(b, wide)];
  const all = [...comparisons(a.syntax), ...comparisons(b.syntax)];
  const choices = [...new Set(all.map(({ column }) => column))].map((name) => ({
    at: wide.findIndex((column) => column.name === name),
    values: valuesOf(
      all.filter(({ column }) => column === name),
      wide,
    ),
  }));
  if (choices.reduce((rows, { values }) => rows * values.length, 1) > mostRows) return false;
  const row: (string | null)[] = wide.map(() => null);
  const meet = (from: number): boolean => {
    const choice = choices[from];
    if (choice === undefined) return one.isTrue(row) && other.isTrue(row);
    return choice.values.some((value) => {
      row[choice.at] = value;
      return meet(from + 1);
    });
  };
  return !meet(0);
}

interface Comparison {
  readonly column: string;
  /** Of `column % divisor`. */
  readonly divisor: Syntax | null;
  readonly isOrdered: boolean;
  readonly constants: readonly Syntax[];
  readonly offset: number;
}

const equalities: ReadonlySet<string> = new Set(['=', '<>']);
const orders: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);

function* comparisons(syntax: Syntax): Generator<Comparison> {
  const { offset } = syntax;
  if (syntax.kind === 'and' || syntax.kind === 'or' || syntax.kind === 'not') {
    for (const operand of syntax.operands) yield* comparisons(operand);
    return;
  }
  if (syntax.kind === 'in') {
    yield { ...termOf(syntax.operand), isOrdered: false, constants: syntax.items.map(constant), offset };
    return;
  }
  const isComparison = syntax.kind === 'call' && (equalities.has(syntax.name) || orders.has(syntax.name));
  const [left, right] = isComparison ? syntax.arguments : [];
  if (!isComparison || left === undefined || right === undefined) throw refusal(offset);
  const [term, value] = readsNothing(left) ? [right, left] : [left, right];
  yield { ...termOf(term), isOrdered: orders.has(syntax.name), constants: [constant(value)], offset };
}

function termOf(syntax: Syntax): Pick<Comparison, 'column' | 'divisor'> {
  if (syntax.kind === 'column') return { column: syntax.name, divisor: null };
  if (syntax.kind === 'call' && syntax.name === '%') {
    const [column, divisor] = syntax.arguments;
    if (column?.kind === 'column' && divisor !== undefined) return { column: column.name, divisor: constant(divisor) };
  }
  throw refusal(syntax.offset);
}

function constant(syntax: Syntax): Syntax {
  if (syntax.kind === 'literal' && syntax.text !== null) return syntax;
  const [operand, more] = syntax.kind === 'call' && syntax.name === '-' ? syntax.arguments : [];
  if (operand?.kind === 'literal' && more === undefined) return syntax;
  throw refusal(syntax.offset);
}

function refusal(offset: number): ExpressionProblem {
  return new ExpressionProblem(
    'a share or part of a table is made of comparisons of a column with constants (=, <>, <, <=, >, >=, IN, BETWEEN), joined by AND, OR and NOT; of whole numbers also what a division leaves (id % 4 = 1)',
    offset,
  );
}

const integers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8']);
const texts: ReadonlySet<string> = new Set(['text', 'varchar']);

/** Its values have no type of their own in the language, which takes them for numerics. */
const widest = 'bigint unsigned';
const leastWhole = -(2n ** 63n);
const greatestWhole = 2n ** 64n - 1n;

function isWhole({ type }: ExpressionColumn): boolean {
  return integers.has(valueType(type)) || type === widest;
}

/** Types whose equal values are one text, here and at every server. */
type Kind = 'integer' | 'text' | 'uuid' | 'bool';

function kindOf({ column: name, divisor, isOrdered, offset }: Comparison, columns: readonly ExpressionColumn[]): Kind {
  const column = columns.find((one) => one.name === name);
  if (column === undefined) throw new ExpressionProblem(`there is no column ${name}`, offset);
  const type = valueType(column.type);
  if (isWhole(column)) {
    if (divisor !== null) divisorValue(divisor);
    return 'integer';
  }
  if (divisor !== null || isOrdered)
    throw new ExpressionProblem(
      `only whole numbers are told apart by order or division, and ${name} is ${typeName(column)}`,
      offset,
    );
  if (texts.has(type)) return 'text';
  if (type === 'uuid' || type === 'bool') return type;
  throw new ExpressionProblem(
    `${name} is ${typeName(column)}: only whole numbers, text, varchar, uuid and bool tell rows apart exactly at every server`,
    offset,
  );
}

function typeName({ type }: ExpressionColumn): string {
  return type.replace(/^pg_catalog\./, '');
}

/** One of each kind that these comparisons of one column tell apart. */
function valuesOf(compared: readonly Comparison[], columns: readonly ExpressionColumn[]): readonly string[] {
  const [first] = compared;
  const kind = first === undefined ? 'bool' : kindOf(first, columns);
  if (kind === 'bool') return ['t', 'f'];
  const constants = compared.flatMap((one) =>
    one.constants.map((syntax) => ({ ...one, text: constantText(syntax, kind) })),
  );
  if (kind === 'integer') return integersOf(constants, compared);
  const known = new Set(constants.map(({ text }) => text));
  const others = kind === 'uuid' ? uuids(known.size + 1) : [...known].map((text) => `${text}?`).concat('?');
  return [...known, others.find((value) => !known.has(value)) ?? ''];
}

function integersOf(
  constants: readonly { readonly divisor: Syntax | null; readonly text: string }[],
  compared: readonly Comparison[],
): readonly string[] {
  const divisors = compared.flatMap(({ divisor }) => (divisor === null ? [] : [divisorValue(divisor)]));
  const period = divisors.reduce((all, one) => (all * one) / divisorOf(all, one), 1n);
  const reach = period < 0n ? -period : period;
  if (reach > BigInt(mostRows)) throw new ExpressionProblem('the divisors have too great a common multiple', 0);
  const places = constants.flatMap(({ divisor, text }) => (divisor === null ? [BigInt(text)] : []));
  // What a division leaves has the sign of the number. And where no column holds any of the constants all numbers are of one kind, which has to be tried, too.
  places.push(0n);
  const values = new Set<bigint>();
  for (const place of places) for (let value = place - reach; value <= place + reach; value++) values.add(value);
  return [...values].filter((value) => value >= leastWhole && value <= greatestWhole).map(String);
}

/** Throws ExpressionProblem for zero. */
function divisorValue(divisor: Syntax): bigint {
  const value = BigInt(constantText(divisor, 'integer'));
  if (value === 0n) throw new ExpressionProblem('nothing can be divided by zero', divisor.offset);
  return value;
}

function divisorOf(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisorOf(b, a % b);
}

function uuids(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `00000000-0000-0000-0000-${String(at).padStart(12, '0')}`);
}

function constantText(syntax: Syntax, kind: Exclude<Kind, 'bool'>): string {
  const wanted = { type: kind === 'uuid' ? 'pg_catalog.uuid' : 'pg_catalog.text', modifier: -1 };
  const parsed = { text: '', columns: [], syntax };
  const bound = bindExpression(parsed, [], { as: 'value', ...(kind === 'uuid' && { wanted }) });
  const text = bound.evaluate([]) ?? '';
  if (kind === 'integer' && !/^-?[0-9]+$/.test(text))
    throw new ExpressionProblem('a whole number is compared with whole numbers', syntax.offset);
  return text;
}
