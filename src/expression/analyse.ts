import type { Row } from '../core/cell.ts';
import { ABSENT, UNCHANGED } from '../core/cell.ts';
import { didYouMean } from '../core/nearest-name.ts';
import { type Conversion, conversion, exactInteger, exactModifier, reader, withModifier } from './casts.ts';
import { functionNames, nondeterministic } from './function-names.ts';
import { functions } from './functions/functions.ts';
import { timeFields } from './functions/time-fields.ts';
import * as nodes from './nodes.ts';
import { ExpressionFailure, ExpressionProblem } from './problem.ts';
import { commonType, resolveFunction } from './resolve-function.ts';
import { isImplicit, isStableCast, type Signature, signaturesOf } from './signature-catalogue.ts';
import type { Call, Case, Choice, In, Syntax } from './syntax.ts';
import { computeNow, constant, type TypedNode } from './typed-node.ts';
import { matcherOf } from './types/like.ts';
import { concatenate } from './types/text.ts';
import { typeForms } from './types/type-forms.ts';
import type { Value } from './types/value.ts';

export interface ExpressionColumn {
  readonly name: string;
  /** As the source has it: `pg_catalog.int4`, `public.mood`. */
  readonly type: string;
  readonly modifier: number;
}

type Equality = (a: Value, b: Value) => boolean;

/** Gives every part of an expression its type, as the server would. */
export class Analyser {
  readonly #columns: readonly ExpressionColumn[];
  /** Indexes of the columns that are read. */
  readonly reads = new Set<number>();

  constructor(columns: readonly ExpressionColumn[]) {
    this.#columns = columns;
  }

  analyse(syntax: Syntax): TypedNode {
    switch (syntax.kind) {
      case 'literal':
        return literal(syntax.type, syntax.text, syntax.offset);
      case 'column':
        return this.#column(syntax.name, syntax.offset);
      case 'cast':
        return cast(this.analyse(syntax.operand), syntax.type, syntax.modifier, syntax.offset);
      case 'call':
        return this.#call(syntax);
      case 'and':
      case 'or':
        return nodes.junction(this.#conditions(syntax.operands), syntax.kind === 'or', syntax.offset);
      case 'not':
        return nodes.call({
          type: 'bool',
          apply: (value: boolean) => !value,
          parts: this.#conditions(syntax.operands),
          offset: syntax.offset,
        });
      case 'test': {
        const { test, negated, offset } = syntax;
        const operand = this.analyse(syntax.operand);
        if (test === 'null') return nodes.test(known(operand), (value) => (value === null) !== negated, offset);
        const wanted = test === 'unknown' ? null : test === 'true';
        return nodes.test(condition(operand), (value) => (value === wanted) !== negated, offset);
      }
      case 'in':
        return this.#in(syntax);
      case 'case':
        return this.#case(syntax);
      default:
        return this.#choice(syntax);
    }
  }

  #all(list: readonly Syntax[]): TypedNode[] {
    return list.map((syntax) => this.analyse(syntax));
  }

  #conditions(list: readonly Syntax[]): TypedNode[] {
    return this.#all(list).map(condition);
  }

  #column(name: string, offset: number): TypedNode {
    const index = this.#columns.findIndex((column) => column.name === name);
    const column = this.#columns[index];
    if (column === undefined) {
      const names = this.#columns.map((known) => known.name);
      throw new ExpressionProblem(`no column "${name}"${didYouMean(name, names)}`, offset);
    }
    this.reads.add(index);
    const type = shortType(column.type);
    return { type, offset, compile: () => ({ run: columnReader(name, type, index), isConstant: false }) };
  }

  #call(syntax: Call): TypedNode {
    const { name, isOperator, offset } = syntax;
    if (!isOperator) {
      if (nondeterministic.has(name))
        throw new ExpressionProblem(
          `${name}() is refused: the same change must always give the same value, after a restart and in a compare, too`,
          offset,
        );
      if (!functionNames.has(name))
        throw new ExpressionProblem(`no function ${name}${didYouMean(name, functionNames)}`, offset);
    }
    const parts = this.#all(syntax.arguments);
    if (!isOperator && (name === 'concat' || name === 'concat_ws')) return concat(name, parts, offset);
    return this.operate(name, parts, isOperator, offset);
  }

  /** A function or operator on parts of known or unknown types. */
  operate(name: string, parts: readonly TypedNode[], isOperator: boolean, offset: number): TypedNode {
    const found = signatureFor(name, parts, isOperator, offset);
    if (name === '||' && found.arguments.includes('anynonarray')) return joinTexts(parts, offset);
    const key = `${name}(${found.arguments.join(',')})`;
    const apply = functions.get(key);
    if (apply === undefined)
      throw new ExpressionProblem(`${shown(name, found.arguments)} is not in the language`, offset);
    checkField(key, parts[0]);
    checkPattern(name, parts[1]);
    const fitted = parts.map((part, i) => implicit(part, found.arguments[i] ?? ''));
    return nodes.call({ type: found.result, apply, parts: fitted, offset, isStable: found.isStable });
  }

  #in(syntax: In): TypedNode {
    const { negated, offset } = syntax;
    const operand = this.analyse(syntax.operand);
    const isFree = (item: Syntax): boolean => readsNothing(item);
    const sign = negated ? '<>' : '=';
    const single = (items: readonly Syntax[]): TypedNode[] =>
      items.map((item) => condition(this.operate(sign, [operand, this.analyse(item)], true, offset)));
    const free = syntax.items.filter(isFree);
    if (free.length < 2) return nodes.junction(single(syntax.items), !negated, offset);
    // As the server does it: constants are brought to one type first, and are compared as one array.
    const constants = this.#all(free);
    const type = commonType([operand.type, ...constants.map((node) => node.type)]);
    if (type === null) return nodes.junction(single(syntax.items), !negated, offset);
    const items = constants.map((node) => implicit(node, type));
    const found = signatureFor('=', [operand, { type, offset, compile: () => constant(null) }], true, offset);
    const [left = '', right = ''] = found.arguments;
    const equal = equality(found, offset);
    const array = nodes.among({
      operand: implicit(operand, left),
      items: items.map((item) => implicit(item, right)),
      matches: equal,
      negated,
      isStable: found.isStable,
      offset,
    });
    const others = single(syntax.items.filter((item) => !isFree(item)));
    return others.length === 0 ? array : nodes.junction([array, ...others], !negated, offset);
  }

  #case(syntax: Case): TypedNode {
    const { offset } = syntax;
    const results = syntax.branches.map(({ result }) => this.analyse(result));
    const otherwise = syntax.otherwise === null ? literal('unknown', null, offset) : this.analyse(syntax.otherwise);
    const type = common('CASE', [otherwise, ...results], offset);
    const operand = syntax.operand === null ? null : nodes.once(known(this.analyse(syntax.operand)));
    const branches = syntax.branches.map(({ when }, i) => {
      const test = this.analyse(when);
      return {
        when: condition(operand === null ? test : this.operate('=', [operand.shared, test], true, when.offset)),
        result: implicit(results[i] ?? otherwise, type),
      };
    });
    const chosen = nodes.choose(type, branches, implicit(otherwise, type), offset);
    return operand === null ? chosen : operand.reset(chosen);
  }

  #choice(syntax: Choice): TypedNode {
    const { kind, offset } = syntax;
    const parts = this.#all(syntax.operands);
    if (kind === 'nullif' || kind === 'distinct') return this.#pair(syntax, parts);
    const type = common(kind.toUpperCase(), parts, offset);
    const fitted = parts.map((part) => implicit(part, type));
    if (kind === 'coalesce') return nodes.coalesce(type, fitted, offset);
    const compared = type === 'varchar' ? 'text' : type;
    const less = functions.get(`<(${compared},${compared})`) as Equality | undefined;
    if (less === undefined) throw new ExpressionProblem(`an order of ${type} is not in the language`, offset);
    const isBetter: Equality = kind === 'least' ? less : (a, b) => less(b, a);
    return nodes.extreme(type, fitted, isBetter, offset);
  }

  #pair(syntax: Choice, parts: readonly TypedNode[]): TypedNode {
    const { kind, negated, offset } = syntax;
    const [left, right] = parts;
    if (left === undefined || right === undefined) throw new ExpressionProblem('two values are wanted', offset);
    const isNull = (node: TypedNode): boolean => node.type === 'unknown' && node.text === null;
    if (kind === 'distinct' && (isNull(left) || isNull(right)))
      return nodes.test(known(isNull(left) ? right : left), (value) => (value === null) === negated, offset);
    const found = signatureFor('=', [left, right], true, offset);
    const equal = equality(found, offset);
    const [first = '', second = ''] = found.arguments;
    const pair: [TypedNode, TypedNode] = [implicit(left, first), implicit(right, second)];
    if (kind === 'distinct')
      return nodes.distinct({ parts: pair, isEqual: equal, negated, isStable: found.isStable, offset });
    return nodes.nullIf({ parts: pair, isEqual: equal, isStable: found.isStable, offset });
  }
}

/** `pg_catalog.int4` is int4 here; types of other schemas keep theirs. */
export function shortType(type: string): string {
  return type.startsWith('pg_catalog.') ? type.slice('pg_catalog.'.length) : type;
}

function columnReader(name: string, type: string, index: number): (row: Row) => Value {
  const form = typeForms.get(type);
  const read = form?.readPrinted ?? form?.read;
  const bytes = type === 'bytea';
  return (row) => {
    const cell = row[index];
    if (cell === null) return null;
    if (cell === undefined || cell === ABSENT || cell === UNCHANGED)
      throw new ExpressionFailure(`the change does not carry column "${name}"`);
    if (bytes && typeof cell !== 'string') return cell;
    const text = typeof cell === 'string' ? cell : cell.toString('utf8');
    if (read === undefined) return text;
    const value = read(text);
    if (value === null) throw new ExpressionFailure(`column "${name}" has a value that expressions do not know`);
    return value;
  };
}

function literal(type: string, text: string | null, offset: number): TypedNode {
  if (type === 'unknown') return { type, text, offset, compile: () => constant(text) };
  const value = text === null ? null : computeNow(() => reader(type)?.(text) ?? null, offset);
  return { type, offset, compile: () => constant(value) };
}

/** A literal in quotes that nothing gives another type is a text. */
function known(node: TypedNode): TypedNode {
  return node.type === 'unknown' ? { ...node, type: 'text' } : node;
}

function condition(node: TypedNode): TypedNode {
  const fitted = node.type === 'unknown' ? implicit(node, 'bool') : node;
  if (fitted.type !== 'bool') throw new ExpressionProblem(`a condition is wanted, not a ${node.type}`, node.offset);
  return fitted;
}

/** Where the types allow it without being asked; the caller has made sure of that. */
function implicit(node: TypedNode, type: string): TypedNode {
  if (node.type === type) return node;
  if (node.type === 'unknown') return typedLiteral(node, type);
  const convert = conversion(node.type, type, 'implicit');
  if (convert === null) throw new ExpressionProblem(`a ${node.type} stands where a ${type} is wanted`, node.offset);
  return converted(node, type, convert, node.offset);
}

function converted(node: TypedNode, type: string, convert: Conversion, offset: number): TypedNode {
  return nodes.call({ type, apply: convert, parts: [node], offset, isStable: isStableCast(node.type, type) });
}

function typedLiteral(node: TypedNode, type: string): TypedNode {
  const text = node.text ?? null;
  const read = reader(type);
  // Of a type that is only passed on: the target reads it.
  const value = text === null || read === null ? text : computeNow(() => read(text), node.offset);
  return { type, offset: node.offset, compile: () => constant(value) };
}

/** An explicit cast. */
function cast(node: TypedNode, type: string, modifier: number, offset: number): TypedNode {
  const fit = withModifier(type, modifier);
  const value = node.type === 'unknown' ? typedLiteral(node, type) : convertTo(node, type, offset);
  return fit === null ? value : nodes.call({ type, apply: fit, parts: [value], offset });
}

function convertTo(node: TypedNode, type: string, offset: number): TypedNode {
  if (node.type === type) return node;
  const convert = conversion(node.type, type, 'explicit');
  if (convert === null) throw new ExpressionProblem(`no cast from ${node.type} to ${type} is in the language`, offset);
  return converted(node, type, convert, offset);
}

/** As a column of the type takes it, where nothing is lost; what loses something has to be written. */
export function assignTo(node: TypedNode, column: { readonly type: string; readonly modifier: number }): TypedNode {
  const type = shortType(column.type);
  const { offset } = node;
  const fit = exactModifier(type, column.modifier);
  const value = ((): TypedNode => {
    if (node.type === 'unknown') return typedLiteral(node, type);
    if (node.type === type) return node;
    const convert = assignment(node.type, type);
    if (convert === null)
      throw new ExpressionProblem(
        `a ${node.type} stands where the column wants a ${type}${conversion(node.type, type, 'explicit') === null ? '' : `: write (...)::${type} if that is meant`}`,
        offset,
      );
    return converted(node, type, convert, offset);
  })();
  return fit === null ? value : nodes.call({ type, apply: fit, parts: [value], offset });
}

function assignment(from: string, to: string): ReturnType<typeof conversion> {
  if (from === 'numeric' && /^int[248]$/.test(to)) return exactInteger(to);
  const narrows = /^int[248]$/.test(from) && /^int[248]$/.test(to);
  const isText = to === 'text' || to === 'varchar' || to === 'bpchar';
  return conversion(from, to, narrows || isText ? 'assignment' : 'implicit');
}

function common(what: string, parts: readonly TypedNode[], offset: number): string {
  const type = commonType(parts.map((part) => part.type));
  if (type !== null) return type;
  const types = [...new Set(parts.map((part) => part.type).filter((name) => name !== 'unknown'))];
  throw new ExpressionProblem(`${what} has values of types that do not go together: ${types.join(', ')}`, offset);
}

function signatureFor(name: string, parts: readonly TypedNode[], isOperator: boolean, offset: number): Signature {
  const types = parts.map((part) => part.type);
  const found = resolveFunction(signaturesOf(name), types, isOperator);
  if (typeof found !== 'string') return found;
  const passedOn = types.find((type) => type !== 'unknown' && !typeForms.has(type));
  if (passedOn !== undefined)
    throw new ExpressionProblem(
      `values of type ${passedOn} are only passed on: compute with their text (...::text)`,
      offset,
    );
  const what = shown(name, types);
  throw new ExpressionProblem(
    found === 'none' ? `no ${what}` : `${what} may be several: say with a cast which type is meant`,
    offset,
  );
}

function shown(name: string, types: readonly string[]): string {
  return /^[a-z]/.test(name) ? `function ${name}(${types.join(', ')})` : `operator ${name} for ${types.join(' and ')}`;
}

/** What extract and date_trunc are asked for is written, not computed, so that it is checked here. */
function checkField(key: string, part: TypedNode | undefined): void {
  const fields = timeFields[key];
  if (fields === undefined || part === undefined) return;
  const text = part.type === 'unknown' ? part.text?.toLowerCase() : undefined;
  if (text === undefined) throw new ExpressionProblem('a field that is computed is not in the language', part.offset);
  if (!fields.has(text))
    throw new ExpressionProblem(
      `field ${text} of ${key} is not in the language${didYouMean(text, fields)}`,
      part.offset,
    );
}

/** A pattern that is written is checked here, not with the first row. */
function checkPattern(name: string, part: TypedNode | undefined): void {
  const text = part?.type === 'unknown' ? part.text : undefined;
  if (!/^!?~~/.test(name) || typeof text !== 'string') return;
  computeNow(() => {
    matcherOf(text);
    return null;
  }, part?.offset ?? 0);
}

function equality(found: Signature, offset: number): Equality {
  const apply = functions.get(`=(${found.arguments.join(',')})`);
  if (apply === undefined) throw new ExpressionProblem(`${shown('=', found.arguments)} is not in the language`, offset);
  return apply as Equality;
}

/** text || anything: what is no text is printed. */
function joinTexts(parts: readonly TypedNode[], offset: number): TypedNode {
  const texts = parts.map((part) =>
    isImplicit(part.type, 'text') ? implicit(part, 'text') : convertTo(part, 'text', part.offset),
  );
  return nodes.call({ type: 'text', apply: concatenate, parts: texts, offset });
}

/** Prints each argument as the server sends it: a boolean is `t`, and a char(n) keeps its blanks. */
function concat(name: string, parts: readonly TypedNode[], offset: number): TypedNode {
  const print = (part: TypedNode): TypedNode => {
    const node = known(part);
    const form = typeForms.get(node.type);
    if (form === undefined || node.type === 'text') return node;
    return nodes.call({ type: 'text', apply: form.print, parts: [node], offset: node.offset, isStable: true });
  };
  const [first, ...rest] = parts;
  if (first === undefined || (name === 'concat_ws' && rest.length === 0))
    throw new ExpressionProblem(`${name} wants more arguments`, offset);
  if (name === 'concat') return nodes.joined(null, parts.map(print), offset);
  return nodes.joined(implicit(first, 'text'), rest.map(print), offset);
}

function readsNothing(syntax: Syntax): boolean {
  if (syntax.kind === 'column') return false;
  return partsOf(syntax).every(readsNothing);
}

/** Every part that an expression is made of. */
export function partsOf(syntax: Syntax): readonly Syntax[] {
  switch (syntax.kind) {
    case 'literal':
    case 'column':
      return [];
    case 'call':
      return syntax.arguments;
    case 'cast':
    case 'test':
      return [syntax.operand];
    case 'in':
      return [syntax.operand, ...syntax.items];
    case 'case':
      return [
        ...(syntax.operand === null ? [] : [syntax.operand]),
        ...syntax.branches.flatMap(({ when, result }) => [when, result]),
        ...(syntax.otherwise === null ? [] : [syntax.otherwise]),
      ];
    default:
      return syntax.operands;
  }
}
