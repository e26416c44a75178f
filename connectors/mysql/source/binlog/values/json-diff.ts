import { ByteReader } from '../byte-reader.ts';
import { readJson } from './json-document.ts';
import { type JsonNode, placeOfKey } from './json-node.ts';

const operations = { replace: 0, insert: 1, remove: 2 } as const;

type Leg = { readonly key: string } | { readonly index: number };

/** Carries out what a partial update logs of a document (`binlog_row_value_options=PARTIAL_JSON`), in place. */
export function applyJsonDiffs(document: JsonNode, bytes: Buffer, start: number, end: number): JsonNode {
  const reader = new ByteReader(bytes, start, end);
  let root = document;
  while (reader.left > 0) {
    const operation = reader.uint(1);
    const legs = readPath(reader.text(reader.lengthEncoded()));
    const value = operation === operations.remove ? null : readValue(reader);
    const last = legs.at(-1);
    if (last === undefined) {
      if (operation !== operations.replace || value === null) throw new RangeError('a JSON diff of the whole document');
      root = value;
    } else change(find(root, legs.slice(0, -1)), last, operation, value);
  }
  return root;
}

function readValue(reader: ByteReader): JsonNode {
  const length = reader.lengthEncoded();
  const start = reader.skip(length);
  return readJson(reader.bytes, start, start + length);
}

function find(root: JsonNode, legs: readonly Leg[]): JsonNode {
  let node = root;
  for (const leg of legs) {
    if (typeof node === 'string') throw new RangeError('a JSON diff leads into a scalar');
    // To the server a value that is no array is an array of itself.
    if ('index' in leg && !('items' in node)) {
      if (leg.index !== 0) throw new RangeError('a JSON diff leads past a value');
      continue;
    }
    const next = 'items' in node ? node.items['index' in leg ? leg.index : -1] : memberOf(node, leg);
    if (next === undefined) throw new RangeError('a JSON diff leads nowhere');
    node = next;
  }
  return node;
}

function memberOf(node: Extract<JsonNode, { members: unknown }>, leg: Leg): JsonNode | undefined {
  return 'key' in leg ? node.members.find(({ key }) => key === leg.key)?.value : undefined;
}

function change(parent: JsonNode, leg: Leg, operation: number, value: JsonNode | null): void {
  if (typeof parent === 'string') throw new RangeError('a JSON diff leads into a scalar');
  const remove = operation === operations.remove;
  const added = operation === operations.insert ? 0 : 1;
  if ('items' in parent) {
    // What is put behind the end, however far, is put at the end.
    const isThere = 'index' in leg && (added === 0 || leg.index < parent.items.length);
    if (!isThere) throw new RangeError('a JSON diff leads nowhere');
    if (remove) parent.items.splice(leg.index, 1);
    else if (value !== null) parent.items.splice(leg.index, added, value);
    return;
  }
  if (!('key' in leg)) throw new RangeError('a JSON diff leads nowhere');
  const { index, found } = placeOfKey(parent, leg.key);
  if (found !== (operation !== operations.insert)) throw new RangeError('a JSON diff does not fit the document');
  if (remove) parent.members.splice(index, 1);
  else if (value !== null) parent.members.splice(index, added, { key: leg.key, value });
}

/** `$.name."other name"[3]` */
function readPath(path: string): Leg[] {
  const pattern = /\.("(?:[^"\\]|\\.)*"|[^.["]+)|\[(\d+)\]/gy;
  const legs: Leg[] = [];
  if (!path.startsWith('$')) throw new RangeError('a JSON path that does not begin at the root');
  pattern.lastIndex = 1;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) throw new RangeError('a JSON path that can not be read');
    const [, name, index] = match;
    if (index !== undefined) legs.push({ index: Number(index) });
    else if (name !== undefined) legs.push({ key: name.startsWith('"') ? unquoted(name) : name });
  }
  return legs;
}

function unquoted(name: string): string {
  try {
    return String(JSON.parse(name));
  } catch {
    throw new RangeError('a JSON path that can not be read');
  }
}
