import { mask } from '../../transforms/mask.ts';
import type { ConfiguredTransform } from '../core/table-mapping.ts';
import { at, type Located, type Path } from './located.ts';
import { Problems } from './problem.ts';
import { type ReferenceSource, resolveTree } from './references.ts';
import type { MaskData, TransformData } from './schema/transform-schema.ts';

interface Context {
  readonly file: string;
  /** The transform's own tree, with references still in its key. */
  readonly tree: Located;
  readonly path: Path;
  readonly references: ReferenceSource;
  readonly problems: Problems;
}

/** True for values that are resolved when the transform is bound to a table, not when the route is read. */
export function resolvedLate(path: Path): boolean {
  return path[0] === 'routes' && path.at(-1) === 'key' && path.at(-2) === 'mask' && path.at(-4) === 'transforms';
}

/** The one place that knows the built-in transforms. */
export function builtInTransform(data: TransformData, context: Context): ConfiguredTransform | null {
  return data.mask === undefined ? null : maskTransform(data.mask, context);
}

function maskTransform(data: MaskData, context: Context): ConfiguredTransform | null {
  const complain = (key: string, message: string): null => {
    const place = at(context.tree, ['mask', key])?.place ?? at(context.tree, ['mask'])?.place ?? context.tree.place;
    context.problems.add({ kind: 'invalid', place, path: [...context.path, 'mask', key], message });
    return null;
  };
  const { columns, method } = data;
  for (const [key, needed] of [
    ['key', 'hmac'],
    ['length', 'hmac'],
    ['with', 'redact'],
  ] as const)
    if (data[key] !== undefined && method !== needed) return complain(key, `is only for the method ${needed}`);
  if (method === 'null') return mask({ columns, method });
  if (method === 'redact') return mask({ columns, method, with: data.with ?? '***' });
  if (data.key === undefined) return complain('key', 'is required for the method hmac');
  if (data.key === '') return complain('key', 'is empty');
  return mask({ columns, method, length: data.length ?? 32, key: () => resolveKey(context) });
}

function resolveKey({ file, tree, path, references }: Context): string {
  const problems = new Problems(file);
  const written = at(tree, ['mask', 'key']) ?? tree;
  const keyPath = [...path, 'mask', 'key'];
  const resolved = resolveTree(written, keyPath, { source: references, problems });
  const value = resolved.kind === 'scalar' && typeof resolved.value === 'string' ? resolved.value : '';
  if (problems.empty && value === '')
    problems.add({ kind: 'reference', place: written.place, path: keyPath, message: 'is empty' });
  problems.throwIfAny();
  return value;
}
