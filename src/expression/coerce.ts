import { type Conversion, conversion, exactInteger, exactModifier, reader, withModifier } from './casts.ts';
import { shortType } from './expression-column.ts';
import * as nodes from './nodes.ts';
import { ExpressionProblem } from './problem.ts';
import { isStableCast } from './signature-catalogue.ts';
import { computeNow, constant, type TypedNode } from './typed-node.ts';

export function literal(type: string, text: string | null, offset: number): TypedNode {
  if (type === 'unknown') return { type, text, offset, compile: () => constant(text) };
  const value = text === null ? null : computeNow(() => reader(type)?.(text) ?? null, offset);
  return { type, offset, compile: () => constant(value) };
}

/** A literal in quotes that nothing gives another type is a text. */
export function known(node: TypedNode): TypedNode {
  return node.type === 'unknown' ? { ...node, type: 'text' } : node;
}

export function condition(node: TypedNode): TypedNode {
  const fitted = node.type === 'unknown' ? implicit(node, 'bool') : node;
  if (fitted.type !== 'bool') throw new ExpressionProblem(`a condition is wanted, not a ${node.type}`, node.offset);
  return fitted;
}

/** Where the types allow it without being asked; the caller has made sure of that. */
export function implicit(node: TypedNode, type: string): TypedNode {
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
export function cast(node: TypedNode, type: string, modifier: number, offset: number): TypedNode {
  const fit = withModifier(type, modifier);
  const value = node.type === 'unknown' ? typedLiteral(node, type) : convertTo(node, type, offset);
  return fit === null ? value : nodes.call({ type, apply: fit, parts: [value], offset });
}

export function convertTo(node: TypedNode, type: string, offset: number): TypedNode {
  if (node.type === type) return node;
  const convert = conversion(node.type, type, 'explicit');
  if (convert === null) throw new ExpressionProblem(`no cast from ${node.type} to ${type} is in the language`, offset);
  return converted(node, type, convert, offset);
}

/** As a column of the type takes it, where nothing is lost; what loses something has to be written. */
export function assignTo(node: TypedNode, column: { readonly type: string; readonly modifier: number }): TypedNode {
  const type = shortType(column.type);
  const { offset } = node;
  // A server would round or cut it to the fields of the column.
  if (type === 'interval' && column.modifier >= 0)
    throw new ExpressionProblem('a column of interval with fields or a precision is not in the language', offset);
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
