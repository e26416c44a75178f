import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { ConfigurationFiles } from './configuration-files.ts';
import { type Entry, emptyMap, type Located } from './located.ts';
import type { Place, Problems } from './problem.ts';
import { describeYamlError } from './yaml-error-text.ts';

/** Aliases can multiply a small file without bounds; no honest configuration comes near these. */
const maxValues = 100_000;
const maxDepth = 64;

const unquotedReference = 'inside of { } and [ ] a reference needs double quotes: "${NAME}"';

export function readText(file: string, files: ConfigurationFiles): string {
  let bytes: Buffer;
  try {
    bytes = files.read(file);
  } catch (error) {
    throw fail(configErrors.unreadable, { file, why: reason(error) }, error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw fail(configErrors.unreadable, { file, why: 'it is not UTF-8 text' }, error);
  }
}

/** A driver-free reason: the system's code and nothing that may hold a path twice. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
  };
  return known[code] ?? (code || 'it cannot be read');
}

/** Parses one file to a map. Whatever the parser complains about, warnings included, is a problem. */
export function readYaml(file: string, text: string, problems: Problems): Located & { kind: 'map' } {
  const lines = new LineCounter();
  const start: Place = { file, line: 1, column: 1 };
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (where: Place, message: string): void =>
    problems.add({ kind: 'syntax', place: where, path: [], message });

  let document: ReturnType<typeof parseDocument<ParsedNode>>;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  } catch {
    // The parser recurses: text that is nested deeper than the stack ends up here.
    report(start, 'it is nested too deeply');
    return emptyMap(start);
  }
  const complaints = [...document.errors, ...document.warnings];
  const unexpected = complaints.find(({ code }) => code === 'UNEXPECTED_TOKEN');
  for (const complaint of complaints) {
    const [at] = complaint.pos;
    const isReference = text.startsWith('${', at - 1);
    // After the first piece that does not fit the parser stumbles over all that follows.
    if (complaint.code === 'UNEXPECTED_TOKEN' && complaint !== unexpected && !isReference) continue;
    report(place(isReference ? at - 1 : at), isReference ? unquotedReference : describeYamlError(complaint.code));
  }
  if (complaints.length > 0) return emptyMap(start);

  let values = 0;
  const active = new Set<unknown>();
  const nothing = (where: Place): Located => ({ kind: 'scalar', place: where, value: null });

  const convert = (node: ParsedNode | null, where: Place, depth: number): Located => {
    if (node === null) return nothing(where);
    const here = place(node.range[0]);
    values += 1;
    if (values > maxValues || depth > maxDepth) {
      if (!problems.empty) return nothing(here);
      report(here, 'it is nested too deeply, or its aliases make it too large');
      return nothing(here);
    }
    if (isAlias(node)) {
      const anchored = node.resolve(document) as ParsedNode | undefined;
      if (anchored === undefined) report(here, missingAnchor(node.source));
      else if (active.has(anchored)) report(here, `the alias *${node.source} is inside of what it stands for`);
      else return convert(anchored, here, depth + 1);
      return nothing(here);
    }
    active.add(node);
    const result = convertContent(node, here, depth);
    active.delete(node);
    return result;
  };

  const convertContent = (node: ParsedNode, here: Place, depth: number): Located => {
    if (isSeq<ParsedNode>(node))
      return { kind: 'list', place: here, items: node.items.map((item) => convert(item, here, depth + 1)) };
    if (isMap<ParsedNode, ParsedNode | null>(node)) return convertMap(node, here, depth);
    const value = isScalar(node) ? node.value : null;
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
      return { kind: 'scalar', place: here, value };
    report(here, 'the value is neither text, number, true, false, a list nor a mapping');
    return nothing(here);
  };

  const convertMap = (
    node: { readonly items: readonly { key: ParsedNode; value: ParsedNode | null }[] },
    here: Place,
    depth: number,
  ): Located => {
    const entries = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const { key, value } of node.items) {
      const keyPlace = place(key.range[0]);
      if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
        report(keyPlace, 'a key must be text');
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      if (name === '<<' && key.type === 'PLAIN') {
        merge(convert(value, keyPlace, depth + 1), merged);
      } else if (name === '__proto__') {
        report(keyPlace, 'this key cannot be used');
      } else {
        entries.set(name, { keyPlace, node: convert(value, keyPlace, depth + 1) });
      }
    }
    // Merge keys (YAML 1.1's <<): the map's own keys win.
    for (const [name, entry] of merged) if (!entries.has(name)) entries.set(name, entry);
    return { kind: 'map', place: here, entries };
  };

  /** The first of several merged maps wins. */
  const merge = (from: Located, into: Map<string, Entry>): void => {
    for (const map of from.kind === 'list' ? from.items : [from]) {
      if (map.kind !== 'map') report(map.place, 'a merge key (<<) takes a mapping or a list of mappings');
      else for (const [name, entry] of map.entries) if (!into.has(name)) into.set(name, entry);
    }
  };

  const contents = document.contents;
  if (contents === null) return emptyMap(start);
  const root = convert(contents, start, 0);
  if (root.kind === 'map') return root;
  if (root.kind === 'scalar' && root.value === null) return emptyMap(start);
  report(root.place, 'the file must hold a mapping, such as "version: 1"');
  return emptyMap(start);
}

/** A glob that begins with a star is an alias to YAML. */
function missingAnchor(name: string): string {
  const missing = `there is no anchor &${name} before this alias`;
  return /[.*?]/.test(name) ? `${missing}; a glob that begins with * needs quotes: "*${name}"` : missing;
}
