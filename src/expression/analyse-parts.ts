import { type Equality, equality, signatureFor } from './choose-function.ts';
import { implicit, known } from './coerce.ts';
import { arrayFunctions, containsAll, overlap } from './functions/arrays.ts';
import * as nodes from './nodes.ts';
import { ExpressionFailure, ExpressionProblem } from './problem.ts';
import { isImplicit } from './signature-catalogue.ts';
import type { SliceBounds } from './syntax.ts';
import type { TypedNode } from './typed-node.ts';
import { type ArrayShape, arrayShape, arrayText, elementIndex, slice } from './types/array-shape.ts';
import { jsonAt, jsonbContains, jsonTextAt } from './types/json-path.ts';
import { typeForms } from './types/type-forms.ts';
import type { Value } from './types/value.ts';

/** An array as a text that the server has printed, or takes. `read` makes a value of the text of an element. */
export interface ArrayNode {
  readonly node: TypedNode;
  readonly element: string;
  readonly read: (text: string) => Value;
}

/** Elements of an array, all dimensions one after the other. */
export interface ElementsNode {
  readonly element: string;
  readonly elements: nodes.Elements;
}

function shapeOf(text: string): ArrayShape {
  const shape = arrayShape(text);
  if (shape === null) throw new ExpressionFailure('an array has a form that expressions do not know');
  return shape;
}

/** array_length and the like. */
export function measured(name: string, array: ArrayNode, others: readonly TypedNode[], offset: number): TypedNode {
  const rule = arrayFunctions.get(name);
  if (rule === undefined || others.length !== rule.arguments - 1)
    throw new ExpressionProblem(`${name} takes an array${rule?.arguments === 2 ? ' and a dimension' : ''}`, offset);
  const apply = (text: string, dimension = 1): number | null => rule.apply(shapeOf(text), dimension);
  const parts = [array.node, ...others.map((part) => implicit(part, 'int4'))];
  return nodes.call({ type: 'int4', apply, parts, offset });
}

/** `array[1]`: NULL outside of it. */
export function elementOf(
  { node, element, read }: ArrayNode,
  subscripts: readonly TypedNode[],
  offset: number,
): TypedNode {
  const apply = (text: string, ...at: number[]): Value => {
    const shape = shapeOf(text);
    const index = elementIndex(shape, at);
    const value = index === null ? null : (shape.elements[index] ?? null);
    return value === null ? null : read(value);
  };
  const parts = [node, ...subscripts.map((part) => implicit(part, 'int4'))];
  return nodes.call({ type: element, apply, parts, offset });
}

/** `array[1:2]`: an array, counted from 1; without elements outside of it. */
export function sliceOf(
  node: TypedNode,
  { subscripts, bounds }: { readonly subscripts: readonly TypedNode[]; readonly bounds: readonly SliceBounds[] },
  offset: number,
): TypedNode {
  const apply = (text: string, ...at: number[]): string => {
    const bound = (place: number | null): number | null => (place === null ? null : (at[place] ?? null));
    return arrayText(
      slice(
        shapeOf(text),
        bounds.map(({ lower, upper }) => [bound(lower), bound(upper)]),
      ),
    );
  };
  const parts = [node, ...subscripts.map((part) => implicit(part, 'int4'))];
  return nodes.call({ type: node.type, apply, parts, offset });
}

/** `jsonb['a'][0]`: whole numbers count elements, texts name members. */
export function partOfJson(node: TypedNode, subscripts: readonly TypedNode[], offset: number): TypedNode {
  const steps = subscripts.map((part): TypedNode => {
    const { type } = known(part);
    if (!isImplicit(type, 'int4')) return implicit(known(part), 'text');
    return nodes.call({
      type: 'text',
      apply: String as (value: Value) => string,
      parts: [implicit(part, 'int4')],
      offset,
    });
  });
  const apply = (text: string, ...path: string[]): string | null => jsonAt(text, path);
  return nodes.call({ type: 'jsonb', apply, parts: [node, ...steps], offset });
}

/** `#>` and `#>>` with a path that is written. */
export function jsonPath(
  sign: '#>' | '#>>',
  node: TypedNode,
  path: readonly (string | null)[],
  offset: number,
): TypedNode {
  if (node.type !== 'json' && node.type !== 'jsonb')
    throw new ExpressionProblem(`operator ${sign} wants a json or a jsonb, not a ${node.type}`, node.offset);
  if (path.length === 0 || path.includes(null))
    throw new ExpressionProblem(`${sign} wants a path of names, as '{a,b}'`, offset);
  const steps = path as readonly string[];
  const apply = (text: string): string | null => (sign === '#>' ? jsonAt(text, steps) : jsonTextAt(text, steps));
  return nodes.call({ type: sign === '#>' ? node.type : 'text', apply, parts: [node], offset });
}

/** `@>` of two jsonb. */
export function jsonContains(whole: TypedNode, part: TypedNode, offset: number): TypedNode {
  const parts = [implicit(whole, 'jsonb'), implicit(part, 'jsonb')];
  return nodes.call({ type: 'bool', apply: jsonbContains, parts, offset });
}

/** `@>` and `&&` of two arrays of one type. */
export function arraysCompared(
  sign: '@>' | '&&',
  pair: readonly [ElementsNode, ElementsNode],
  offset: number,
): TypedNode {
  const [left, right] = pair;
  if (left.element !== right.element)
    throw new ExpressionProblem(
      `operator ${sign} wants two arrays of one type, not of ${left.element} and ${right.element}`,
      offset,
    );
  const sample: TypedNode = { type: left.element, offset, compile: () => ({ run: () => null, isConstant: false }) };
  const isEqual: Equality = equality(signatureFor('=', [sample, sample], true, offset), offset);
  const decide = sign === '@>' ? containsAll : overlap;
  return nodes.comparedElements([left.elements, right.elements], (a, b) => decide(a, b, isEqual), offset);
}

/** What makes a value of the text of an element; null of types that are only passed on. */
export function elementReader(type: string, isPrinted: boolean): ((text: string) => Value) | null {
  const form = typeForms.get(type);
  if (form === undefined) return null;
  const read = isPrinted ? (form.readPrinted ?? form.read) : form.read;
  return (text) => {
    const value = read(text);
    if (value === null) throw new ExpressionFailure('an array has an element that expressions do not know');
    return value;
  };
}
