import type { Place } from './problem.ts';

export type Scalar = string | number | boolean | null;

/**
 * A configuration value that knows where it was written, so that what is found out later, after includes and defaults
 * were merged, can still be reported with its file, line and column.
 */
export type Located =
  | { readonly kind: 'scalar'; readonly place: Place; readonly value: Scalar }
  | { readonly kind: 'list'; readonly place: Place; readonly items: readonly Located[] }
  | { readonly kind: 'map'; readonly place: Place; readonly entries: ReadonlyMap<string, Entry> };

export interface Entry {
  readonly keyPlace: Place;
  readonly node: Located;
}

export type Path = readonly (string | number)[];

export function emptyMap(place: Place): Located & { kind: 'map' } {
  return { kind: 'map', place, entries: new Map() };
}

/** The bare value. Maps have no prototype, since their keys are the user's. */
export function plain(node: Located): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries) result[key] = plain(entry.node);
  return result;
}

export function child(node: Located | undefined, key: string | number): Located | undefined {
  if (node?.kind === 'map') return node.entries.get(String(key))?.node;
  if (node?.kind === 'list' && typeof key === 'number') return node.items[key];
  return undefined;
}

export function at(node: Located, path: Path): Located | undefined {
  return path.reduce<Located | undefined>(child, node);
}

/** Where the deepest part of the path is that exists: a missing key is reported at the map that lacks it. */
export function placeOf(node: Located, path: Path): Place {
  let place = node.place;
  let here: Located | undefined = node;
  for (const key of path) {
    here = child(here, key);
    if (here === undefined) break;
    place = here.place;
  }
  return place;
}

/** Where the last key of the path is written, as opposed to its value. */
export function keyPlaceOf(node: Located, path: Path): Place {
  const parent = at(node, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyPlace ?? placeOf(node, path);
}

/** `over` laid over `base`: maps are merged key by key, anything else is replaced. */
export function overlay(base: Located, over: Located): Located {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below ? { ...entry, node: overlay(below.node, entry.node) } : entry);
  }
  return { ...over, entries };
}

export function withEntry(node: Located & { kind: 'map' }, key: string, value: Located): Located & { kind: 'map' } {
  const entries = new Map(node.entries);
  entries.set(key, { keyPlace: entries.get(key)?.keyPlace ?? value.place, node: value });
  return { ...node, entries };
}

/** The tree without the keys at these paths. */
export function without(node: Located, paths: readonly Path[]): Located {
  if (paths.length === 0) return node;
  const below = (key: string | number): readonly Path[] =>
    paths.filter((path) => path[0] === key && path.length > 1).map((path) => path.slice(1));
  if (node.kind === 'list') return { ...node, items: node.items.map((item, index) => without(item, below(index))) };
  if (node.kind === 'scalar') return node;
  const removed = new Set(paths.filter((path) => path.length === 1).map((path) => String(path[0])));
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries)
    if (!removed.has(key)) entries.set(key, { ...entry, node: without(entry.node, below(key)) });
  return { ...node, entries };
}

/** Every scalar with its path. */
export function* scalars(
  node: Located,
  path: Path = [],
): Generator<{ path: Path; node: Located & { kind: 'scalar' } }> {
  if (node.kind === 'scalar') yield { path, node };
  else if (node.kind === 'list')
    for (const [index, item] of node.items.entries()) yield* scalars(item, [...path, index]);
  else for (const [key, entry] of node.entries) yield* scalars(entry.node, [...path, key]);
}
