import type { Row } from '../core/cell.ts';
import { didYouMean } from '../core/nearest-name.ts';
import {
  type ArrayNode,
  arraysCompared,
  type ElementsNode,
  elementOf,
  elementReader,
  jsonContains,
  jsonPath,
  measured,
  partOfJson,
  sliceOf,
} from './analyse-parts.ts';
import {
  checkField,
  checkPattern,
  checkWritten,
  common,
  type Equality,
  equality,
  shown,
  signatureFor,
} from './choose-function.ts';
import { cast, condition, convertTo, implicit, known, literal } from './coerce.ts';
import { arrayReader, columnReader, type ExpressionColumn, shortType, valueType } from './expression-column.ts';
import { arrayFunctions } from './functions/arrays.ts';
import { functions } from './functions/functions.ts';
import * as nodes from './nodes.ts';
import { ExpressionFailure, ExpressionProblem } from './problem.ts';
import { commonType } from './resolve-function.ts';
import { isImplicit } from './signature-catalogue.ts';
import {
  type Call,
  type Case,
  type Choice,
  type Element,
  type In,
  type Literal,
  type Quantified,
  readsNothing,
  type Syntax,
  type WrittenArray,
} from './syntax.ts';
import { constant, type TypedNode } from './typed-node.ts';
import { arrayElements } from './types/array.ts';
import { arrayShape } from './types/array-shape.ts';
import { concatenate } from './types/text.ts';
import { typeForms } from './types/type-forms.ts';
import type { Value } from './types/value.ts';

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
      case 'quantified':
        return this.#quantified(syntax);
      case 'case':
        return this.#case(syntax);
      case 'array':
        throw new ExpressionProblem(
          syntax.array.kind === 'items' ? notAnArray : 'a cast to an array is not in the language',
          syntax.offset,
        );
      case 'element':
        return this.#element(syntax);
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
    const type = valueType(column.type);
    return { type, offset, compile: () => ({ run: columnReader(column, index), isConstant: false }) };
  }

  #call(syntax: Call): TypedNode {
    const { name, isOperator, offset } = syntax;
    if (isOperator && ['@>', '<@', '&&'].includes(name)) return this.#contains(syntax);
    if (isOperator && (name === '#>' || name === '#>>')) return this.#path(name, syntax);
    if (!isOperator && arrayFunctions.has(name)) {
      const [first, ...others] = syntax.arguments;
      return measured(name, this.#array(first, name, offset), this.#all(others), offset);
    }
    const parts = this.#all(syntax.arguments);
    if (!isOperator && (name === 'concat' || name === 'concat_ws')) return concat(name, parts, offset);
    return this.operate(name, parts, isOperator, offset);
  }

  /** An array that something looks into: a column, or one that is written in quotes with its type. */
  #array(syntax: Syntax | undefined, what: string, offset: number): ArrayNode {
    if (syntax?.kind === 'column') {
      const node = this.analyse(syntax);
      const element = node.type.startsWith('_') ? node.type.slice(1) : '';
      const read = elementReader(element, true);
      if (read === null)
        throw new ExpressionProblem(
          `column "${syntax.name}" is no array of a type that is computed with`,
          syntax.offset,
        );
      return { node, element, read };
    }
    if (syntax?.kind === 'element' && syntax.bounds !== null) {
      const node = this.analyse(syntax);
      const element = node.type.slice(1);
      const read = elementReader(element, true);
      if (read !== null) return { node, element, read };
    }
    if (syntax?.kind === 'array' && syntax.array.kind === 'literal' && syntax.array.type !== null) {
      const { text, type } = syntax.array;
      const read = elementReader(type, false);
      if (read === null || arrayShape(text) === null)
        throw new ExpressionProblem('an array is written as {a,b,"c d",NULL}', syntax.offset);
      const node: TypedNode = { type: `_${type}`, offset: syntax.offset, compile: () => constant(text) };
      return { node, element: type, read };
    }
    throw new ExpressionProblem(
      `${what} takes a column with an array, or one in quotes with its type`,
      syntax?.offset ?? offset,
    );
  }

  #element({ operand, subscripts, bounds, offset }: Element): TypedNode {
    const isSlice = operand.kind === 'element' && operand.bounds !== null;
    if (operand.kind !== 'array' && !isSlice) {
      const node = this.analyse(operand);
      if (node.type === 'jsonb' && bounds === null) return partOfJson(node, this.#all(subscripts), offset);
      if (operand.kind !== 'column')
        throw new ExpressionProblem(`a ${known(node).type} has no elements ("a[1]")`, offset);
    }
    const array = this.#array(operand, bounds === null ? 'a[1]' : 'a[1:2]', offset);
    if (bounds === null) return elementOf(array, this.#all(subscripts), offset);
    return sliceOf(array.node, { subscripts: this.#all(subscripts), bounds }, offset);
  }

  /** `@>`, `<@` and `&&` of arrays and of jsonb. */
  #contains({ name, arguments: [left, right], offset }: Call): TypedNode {
    if (left === undefined || right === undefined) throw new ExpressionProblem('two values are wanted', offset);
    const [whole, part] = name === '<@' ? [right, left] : [left, right];
    const sides = [whole, part].map((side) => (this.#isArray(side) || isQuoted(side) ? null : this.analyse(side)));
    if (name !== '&&' && !this.#isArray(whole) && !this.#isArray(part) && sides.some((side) => side?.type === 'jsonb'))
      return jsonContains(sides[0] ?? this.analyse(whole), sides[1] ?? this.analyse(part), offset);
    const elements = (side: Syntax, other: string | null): ElementsNode => {
      if (side.kind === 'column') {
        const { node, element, read } = this.#array(side, name, offset);
        const texts = node.compile().run;
        const run = (row: Row): readonly Value[] | null => {
          const text = texts(row);
          if (text === null) return null;
          const found = arrayElements(String(text));
          if (found === null) throw new ExpressionFailure('an array has a form that expressions do not know');
          return found.map((one) => (one === null ? null : read(one)));
        };
        return { element, elements: { kind: 'column', run } };
      }
      const array = side.kind === 'array' ? side.array : quoted(side, other, name);
      const { type, elements: parts } = this.#elements(array, literal('unknown', null, side.offset), '=');
      return { element: type, elements: parts };
    };
    const first = isQuoted(whole) ? null : elements(whole, null);
    const second = elements(part, first?.element ?? null);
    const pair = [first ?? elements(whole, second.element), second] as const;
    return arraysCompared(name === '&&' ? '&&' : '@>', pair, offset);
  }

  #isArray(syntax: Syntax): boolean {
    if (syntax.kind === 'array') return true;
    return syntax.kind === 'column' && this.#column(syntax.name, syntax.offset).type.startsWith('_');
  }

  #path(sign: '#>' | '#>>', { arguments: [document, path], offset }: Call): TypedNode {
    if (document === undefined || path === undefined) throw new ExpressionProblem('two values are wanted', offset);
    const text = isQuoted(path)
      ? path.text
      : path.kind === 'array' && path.array.kind === 'literal' && path.array.type === 'text'
        ? path.array.text
        : null;
    const steps = text === null ? null : arrayElements(text);
    if (steps === null)
      throw new ExpressionProblem(`${sign} wants a path that is written in quotes, as '{a,b}'`, path.offset);
    return jsonPath(sign, this.analyse(document), steps, path.offset);
  }

  /** A function or operator on parts of known or unknown types. */
  operate(name: string, parts: readonly TypedNode[], isOperator: boolean, offset: number): TypedNode {
    const found = signatureFor(name, parts, isOperator, offset);
    if (name === '||' && found.arguments.includes('anynonarray')) {
      // The server would add an element, or refuse it.
      if (parts.some(({ type }) => isArrayType(type)))
        throw new ExpressionProblem(
          'an array beside || is not in the language, which makes no arrays: join its text (...::text)',
          offset,
        );
      return joinTexts(parts, offset);
    }
    const key = `${name}(${found.arguments.join(',')})`;
    const apply = functions.get(key);
    if (apply === undefined)
      throw new ExpressionProblem(
        `${shown(name, found.arguments)} is not in the language${name === 'to_char' && /^float/.test(found.arguments[0] ?? '') ? ': cast it to numeric' : ''}`,
        offset,
      );
    checkField(key, parts[0]);
    checkPattern(name, parts[1]);
    checkWritten(key, parts);
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

  /** = ANY, <> ALL and the like. */
  #quantified(syntax: Quantified): TypedNode {
    const { operator, isAll, offset } = syntax;
    const operand = this.analyse(syntax.operand);
    const { type, elements } = this.#elements(syntax.array, operand, operator);
    let current: Value = null;
    const element: TypedNode = { type, offset, compile: () => ({ run: () => current, isConstant: false }) };
    const compared = condition(this.operate(operator, [operand, element], true, offset));
    const { isStable } = signatureFor(operator, [operand, element], true, offset);
    return nodes.overElements({
      operand: known(operand),
      elements,
      isAll,
      isStable,
      offset,
      compare: compared,
      use: (value) => {
        current = value;
      },
    });
  }

  #elements(
    array: Quantified['array'],
    operand: TypedNode,
    operator: string,
  ): { type: string; elements: nodes.Elements } {
    const { offset } = array;
    switch (array.kind) {
      case 'items': {
        const items = this.#all(array.items);
        const type = common('ARRAY', items, offset);
        return { type, elements: { kind: 'items', parts: items.map((item) => implicit(item, type)) } };
      }
      case 'literal': {
        const unknown = literal('unknown', null, offset);
        const found = array.type ?? signatureFor(operator, [known(operand), unknown], true, offset).arguments[1] ?? '';
        const texts = arrayElements(array.text);
        if (texts === null) throw new ExpressionProblem('an array is written as {a,b,"c d",NULL}', offset);
        const parts = texts.map((text) => implicit(literal('unknown', text, offset), found));
        return { type: found, elements: { kind: 'items', parts } };
      }
      default: {
        const index = this.#columns.findIndex((column) => column.name === array.name);
        const column = this.#columns[index];
        const type = shortType(column?.type ?? '').replace(/^_/, '');
        const form = typeForms.get(type);
        if (column === undefined) this.#column(array.name, offset);
        if (column === undefined || form === undefined || !shortType(column.type).startsWith('_'))
          throw new ExpressionProblem(`column "${array.name}" is no array of a type that is computed with`, offset);
        this.reads.add(index);
        const read = form.readPrinted ?? form.read;
        return { type, elements: { kind: 'column', run: arrayReader(array.name, index, read) } };
      }
    }
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

const notAnArray = 'an array beside ANY and ALL is not in the language';

function isQuoted(syntax: Syntax): syntax is Literal {
  return syntax.kind === 'literal' && syntax.type === 'unknown';
}

/** An array in quotes is of the type of the one beside it. */
function quoted(syntax: Syntax, other: string | null, sign: string): WrittenArray['array'] {
  if (!isQuoted(syntax) || syntax.text === null || other === null)
    throw new ExpressionProblem(
      `operator ${sign} takes columns with arrays, ARRAY[...] and '{...}', or jsonb`,
      syntax.offset,
    );
  return { kind: 'literal', text: syntax.text, type: other, offset: syntax.offset };
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

/** The server names the type of an array by that of its elements, and gives no other type a name that begins so. */
function isArrayType(type: string): boolean {
  return /(^|\.)_/.test(type);
}
