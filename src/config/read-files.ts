import { dirname, relative, resolve } from 'node:path';
import type { ConfigurationFiles } from './configuration-files.ts';
import type { Entry, Located } from './located.ts';
import type { Place, Problems } from './problem.ts';
import { readText, readYaml } from './read-yaml.ts';
import { type ReferenceSource, resolveTree } from './references.ts';

type MapNode = Located & { readonly kind: 'map' };

interface Reading {
  readonly cwd: string;
  readonly source: ReferenceSource;
  readonly problems: Problems;
  readonly files: ConfigurationFiles;
  /** Absolute paths of what was read, with the place that asked for it. */
  readonly seen: Map<string, Place>;
}

/** Reads a file and everything that it includes into one tree. Files add to each other and never override. */
export function readFiles(file: string, options: Omit<Reading, 'seen'>): MapNode {
  return readWithIncludes(file, { ...options, seen: new Map([[file, { file, line: 1, column: 1 }]]) });
}

function readWithIncludes(file: string, reading: Reading): MapNode {
  const shown = shownName(file, reading.cwd);
  const root = readYaml(shown, readText(file, reading.files), reading.problems);
  const include = root.entries.get('include');
  if (include === undefined) return root;
  const entries = new Map(root.entries);
  entries.delete('include');
  let merged: MapNode = { ...root, entries };
  for (const pattern of includePatterns(include, reading)) {
    for (const path of matchingFiles(pattern, file, reading)) {
      merged = add(merged, readWithIncludes(path, reading), reading.problems);
    }
  }
  return merged;
}

function includePatterns(include: Entry, reading: Reading): (Located & { kind: 'scalar'; value: string })[] {
  const resolved = resolveTree(include.node, ['include'], reading);
  const patterns: (Located & { kind: 'scalar'; value: string })[] = [];
  for (const item of resolved.kind === 'list' ? resolved.items : [resolved]) {
    if (item.kind === 'scalar' && typeof item.value === 'string' && resolved.kind === 'list')
      patterns.push({ ...item, value: item.value });
    else complain(reading.problems, item.place, 'wants a list of file names or globs, such as [routes/*.yaml]');
  }
  return patterns;
}

function matchingFiles(pattern: Located & { kind: 'scalar'; value: string }, from: string, reading: Reading): string[] {
  const { place, value } = pattern;
  let found: readonly string[];
  try {
    found = reading.files.glob(value, dirname(from));
  } catch {
    found = [];
  }
  if (found.length === 0) complain(reading.problems, place, `no file matches ${JSON.stringify(value)}`);
  const files: string[] = [];
  for (const name of found) {
    const path = resolve(dirname(from), name);
    const before = reading.seen.get(path);
    if (before === undefined) {
      reading.seen.set(path, place);
      files.push(path);
    } else {
      const shown = shownName(path, reading.cwd);
      const message = `${shown} is read already, because of ${shownName(before.file, reading.cwd)}:${before.line}`;
      reading.problems.add({ kind: 'conflict', place, path: ['include'], message });
    }
  }
  return files;
}

function add(base: MapNode, more: MapNode, problems: Problems): MapNode {
  const entries = new Map(base.entries);
  for (const [key, entry] of more.entries) {
    const existing = entries.get(key);
    if (existing === undefined) {
      entries.set(key, entry);
    } else if ((key === 'nodes' || key === 'routes') && existing.node.kind === 'map' && entry.node.kind === 'map') {
      entries.set(key, { ...existing, node: addNames(key, existing.node, entry.node, problems) });
    } else if (!key.startsWith('x-') && !(key === 'version' && sameScalar(existing.node, entry.node))) {
      clash([key], existing, entry, problems);
    }
  }
  return { ...base, entries };
}

function addNames(section: string, base: MapNode, more: MapNode, problems: Problems): MapNode {
  const entries = new Map(base.entries);
  for (const [name, entry] of more.entries) {
    const existing = entries.get(name);
    if (existing === undefined) entries.set(name, entry);
    else clash([section, name], existing, entry, problems);
  }
  return { ...base, entries };
}

function clash(path: string[], first: Entry, second: Entry, problems: Problems): void {
  const { file, line, column } = first.keyPlace;
  const message = `this is also in ${file}:${line}:${column}`;
  problems.add({ kind: 'conflict', place: second.keyPlace, path, message });
}

function sameScalar(a: Located, b: Located): boolean {
  return a.kind === 'scalar' && b.kind === 'scalar' && a.value === b.value;
}

function complain(problems: Problems, place: Place, message: string): void {
  problems.add({ kind: 'invalid', place, path: ['include'], message });
}

/** Relative to the working directory where the file is below it: what editors and terminals link. */
function shownName(path: string, cwd: string): string {
  const short = relative(cwd, resolve(cwd, path));
  return short === '' || short.startsWith('..') ? path : short;
}
