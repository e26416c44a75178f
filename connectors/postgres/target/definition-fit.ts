import type { TypeDefinition } from '../../../src/core/table.ts';
import { typeFits, typeText } from './type-fit.ts';

/** The two parts that differ, in words. */
export interface Misfit {
  readonly source: string;
  readonly target: string;
}

/**
 * Where a value of the source's type might not be one of the target's, though both have the same name: the server reads
 * the parts of a composite value or an array by the target's definition, and rounds or cuts them without an error. Null
 * where every value is carried exactly.
 */
export function misfit(source: TypeDefinition, target: TypeDefinition): Misfit | null {
  const different = { source: definitionText(source), target: definitionText(target) };
  if (source.kind === 'base' && target.kind === 'base') {
    const [from, to] = [source, target].map(({ name, modifier }) => ({ type: name, modifier }));
    return from && to && typeFits(from, to) ? null : different;
  }
  if (source.kind === 'array' && target.kind === 'array') return misfit(source.element, target.element);
  if (source.kind === 'base' || target.kind === 'base' || source.kind === 'array' || target.kind === 'array')
    return different;
  if (source.name !== target.name) return different;
  if (source.kind === 'enum' && target.kind === 'enum') {
    const missing = source.labels.filter((label) => !target.labels.includes(label));
    if (missing.length === 0) return null;
    return { source: `${source.name} with ${missing.map((label) => `'${label}'`).join(', ')}`, target: 'without' };
  }
  if (source.kind === 'range' && target.kind === 'range') return misfit(source.subtype, target.subtype);
  if (source.kind !== 'composite' || target.kind !== 'composite') return different;
  if (source.fields.map(({ name }) => name).join('\0') !== target.fields.map(({ name }) => name).join('\0'))
    return different;
  for (const [at, { name, type }] of source.fields.entries()) {
    const other = target.fields[at];
    const found = other === undefined ? null : misfit(type, other.type);
    const place = `${source.name}.${name}`;
    if (found !== null) return { source: `${place} ${found.source}`, target: `${place} ${found.target}` };
  }
  return null;
}

function definitionText(definition: TypeDefinition): string {
  switch (definition.kind) {
    case 'base':
      return typeText({ type: definition.name, modifier: definition.modifier });
    case 'array':
      return `${definitionText(definition.element)}[]`;
    case 'composite':
      return `${definition.name} (${definition.fields.map(({ name }) => name).join(', ')})`;
    default:
      return definition.name;
  }
}
