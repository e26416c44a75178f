import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ConfigurationFiles } from './configuration-files.ts';
import { type Located, type Path, scalars } from './located.ts';
import type { Place, Problems } from './problem.ts';
import { reason } from './read-yaml.ts';

export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | null }
  | { readonly kind: 'file'; readonly path: string };

/** Where references take their values from. */
export interface ReferenceSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the file names in places are relative to. */
  readonly cwd: string;
  /** Reads what is part of the configuration (the disk where absent); what references name is read at each use. */
  readonly files?: ConfigurationFiles;
}

/** What is wrong with a reference, without the text around it. */
export class ReferenceProblem extends Error {}

/** Splits `a ${NAME} b` into its pieces. `$${` stands for `${`; a `$` on its own is just that. */
export function parseReferences(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  let literal = '';
  let index = 0;
  const flush = (): void => {
    if (literal !== '') segments.push({ kind: 'text', text: literal });
    literal = '';
  };
  while (index < text.length) {
    if (text.startsWith('$${', index)) {
      literal += '${';
      index += 3;
    } else if (text.startsWith('${', index)) {
      const end = text.indexOf('}', index);
      if (end === -1) throw new ReferenceProblem('a reference has no closing }; to mean ${ itself, write $${');
      flush();
      segments.push(parseReference(text.slice(index + 2, end)));
      index = end + 1;
    } else {
      literal += text[index];
      index += 1;
    }
  }
  flush();
  return segments;
}

function parseReference(inner: string): Segment {
  if (inner.startsWith('file:')) {
    const path = inner.slice('file:'.length);
    if (path === '') throw new ReferenceProblem('${file:} names no file');
    return { kind: 'file', path };
  }
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
  if (match?.[1] === undefined)
    throw new ReferenceProblem(
      'a reference is ${NAME}, ${NAME:-default} or ${file:/path}; to mean ${ itself, write $${',
    );
  return { kind: 'variable', name: match[1], fallback: match[2] ?? null };
}

/** The text with its references resolved, now. What comes out is not looked at again. */
export function resolveText(text: string, source: ReferenceSource, file: string): string {
  return parseReferences(text)
    .map((segment) => (segment.kind === 'text' ? segment.text : resolveSegment(segment, source, file)))
    .join('');
}

function resolveSegment(segment: Exclude<Segment, { kind: 'text' }>, source: ReferenceSource, file: string): string {
  if (segment.kind === 'variable') {
    const value = source.env[segment.name];
    // As in a shell, the default also stands in for a variable that is set and empty.
    if (segment.fallback !== null && (value === undefined || value === '')) return segment.fallback;
    if (value === undefined) throw new ReferenceProblem(`the environment variable ${segment.name} is not set`);
    return value;
  }
  try {
    return readFileSync(resolve(source.cwd, dirname(file), segment.path), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new ReferenceProblem(`the file ${segment.path} cannot be read: ${reason(error)}`);
  }
}

export function hasReference(text: string): boolean {
  return text.includes('${');
}

/** True where something in the tree is only known at run time, apart from paths that `keep` names. */
export function hasReferences(node: Located, path: Path = [], keep: (path: Path) => boolean = () => false): boolean {
  for (const { path: below, node: scalar } of scalars(node))
    if (typeof scalar.value === 'string' && hasReference(scalar.value) && !keep([...path, ...below])) return true;
  return false;
}

/** Reports references that could never be resolved, wherever they stand. */
export function checkReferences(node: Located, path: Path, problems: Problems): void {
  for (const { path: below, node: scalar } of scalars(node)) {
    if (typeof scalar.value !== 'string') continue;
    const text = scalar.value;
    guard({ place: scalar.place, path: [...path, ...below] }, problems, () => parseReferences(text));
  }
}

/** The tree with every reference resolved but those at paths that `keep` names. */
export function resolveTree(
  node: Located,
  path: Path,
  context: { readonly source: ReferenceSource; readonly problems: Problems; readonly keep?: (path: Path) => boolean },
): Located {
  if (node.kind === 'list')
    return { ...node, items: node.items.map((item, index) => resolveTree(item, [...path, index], context)) };
  if (node.kind === 'map') {
    const entries = [...node.entries].map(
      ([key, entry]) => [key, { ...entry, node: resolveTree(entry.node, [...path, key], context) }] as const,
    );
    return { ...node, entries: new Map(entries) };
  }
  const { value, place } = node;
  if (typeof value !== 'string' || !hasReference(value) || context.keep?.(path)) return node;
  const text = guard({ place, path }, context.problems, () => resolveText(value, context.source, place.file));
  return text === undefined ? node : { ...node, value: text };
}

function guard<T>(where: { place: Place; path: Path }, problems: Problems, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ReferenceProblem)) throw error;
    problems.add({ kind: 'reference', ...where, message: error.message });
    return undefined;
  }
}
