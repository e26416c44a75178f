import type { Commit, TransactionPart } from '../../../src/core/transaction.ts';
import { evolutionOf } from './evolutions.ts';

export interface GroupLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Parts that are applied together, and the source position that is reached with them. */
export interface Group {
  readonly parts: readonly TransactionPart[];
  readonly rows: number;
  /** Null where the last transaction goes on in later parts: the target transaction stays open. */
  readonly commit: Commit | null;
  /** The last transaction of the source's that ends in this group, whatever is in it: a heartbeat, too. */
  readonly lastCommit: { readonly position: Commit['position']; readonly id: string } | null;
  /** A parked transaction that is tried again: it leaves the store with its commit, and the checkpoint stays. */
  readonly parked?: { readonly id: number; readonly request: number };
  /** Somebody waits for its position, whatever its parts say, of which an advance that was kept has none any more. */
  readonly isAwaited?: boolean;
}

/** True for what changes nothing at the target: an idle advance, Tidelock's own records, replicated transactions. */
export function isIdle(part: TransactionPart): boolean {
  return (
    part.rows === 0 &&
    part.commit !== null &&
    !isOfLoad(part) &&
    !part.changes.some((c) => c.kind === 'truncate' || c.kind === 'schemaChange' || c.kind === 'ddl')
  );
}

/** Rows of a load, or its begin: never together with anything else. */
export function isOfLoad({ chunk, begins }: TransactionPart): boolean {
  return chunk !== undefined || begins !== undefined;
}

/**
 * The next group from `parts` at `from`: as many whole source transactions as fit the limits, of one origin. A
 * transaction that is larger than the limits, or not complete yet, makes groups of its own parts. `open` tells that
 * the first part continues a transaction of the group before. A definition that the target has to follow is a group by
 * itself: the plans of what comes after it are made behind it.
 */
export function nextGroup(parts: readonly TransactionPart[], from: number, limits: GroupLimits, open: boolean): Group {
  const first = parts[from];
  if (first === undefined) throw new RangeError('no parts are left to group');
  if (standsAlone(first)) return groupOf([first]);
  if (open) return groupOf(parts.slice(from, takeParts(parts, from, limits)));
  let end = from;
  let rows = 0;
  let bytes = 0;
  while (end < parts.length && !standsAlone(parts[end])) {
    const whole = transactionAt(parts, end, limits);
    const fits = rows + whole.rows <= limits.rows && bytes + whole.bytes <= limits.bytes;
    const goes = whole.isComplete && fits;
    if (end === from && !goes) return groupOf(parts.slice(from, takeParts(parts, from, limits)));
    if (!goes || !sameOrigin(first, whole.first)) break;
    end = whole.end;
    rows += whole.rows;
    bytes += whole.bytes;
  }
  return groupOf(parts.slice(from, end));
}

/** A definition, or rows of a load: a group by itself. */
function standsAlone(part: TransactionPart | undefined): boolean {
  return part !== undefined && (evolutionOf(part) !== null || isOfLoad(part));
}

/** Each of a group's transactions as a group of its own. */
export function transactionsOf(group: Group): Group[] {
  const groups: Group[] = [];
  for (let at = 0; at < group.parts.length; ) {
    const { end } = transactionAt(group.parts, at, { rows: group.rows, bytes: Number.POSITIVE_INFINITY });
    groups.push(groupOf(group.parts.slice(at, end)));
    at = end;
  }
  return groups;
}

/** Parts of one transaction, or whole ones, as a group. */
export function groupOf(parts: readonly TransactionPart[]): Group {
  let lastCommit: Group['lastCommit'] = null;
  let rows = 0;
  for (const part of parts) {
    rows += part.rows;
    if (part.commit !== null && part.commit.id !== '') {
      lastCommit = { position: part.commit.position, id: part.commit.id };
    }
  }
  return { parts, rows, commit: parts.at(-1)?.commit ?? null, lastCommit };
}

/** What the group's parts hold in memory. */
export function bytesOf(group: Group): number {
  return group.parts.reduce((sum, part) => sum + part.bytes, 0);
}

/** Parts of one transaction up to its end, to the limits or to a definition, at least one. */
function takeParts(parts: readonly TransactionPart[], from: number, limits: GroupLimits): number {
  let rows = 0;
  let bytes = 0;
  for (let at = from; at < parts.length; at++) {
    const part = parts[at];
    if (part === undefined) break;
    rows += part.rows;
    bytes += part.bytes;
    if (at > from && (rows > limits.rows || bytes > limits.bytes || evolutionOf(part) !== null)) return at;
    if (part.commit !== null) return at + 1;
  }
  return parts.length;
}

/** The transaction that begins there, as far as it is there and goes without a definition; not looked at beyond the limits. */
function transactionAt(parts: readonly TransactionPart[], from: number, limits: GroupLimits) {
  const first = parts[from] as TransactionPart;
  let rows = 0;
  let bytes = 0;
  let end = from;
  let isComplete = false;
  while (end < parts.length && !isComplete && rows <= limits.rows && bytes <= limits.bytes) {
    const part = parts[end] as TransactionPart;
    if (end > from && evolutionOf(part) !== null) break;
    end++;
    rows += part.rows;
    bytes += part.bytes;
    isComplete = part.commit !== null;
  }
  return { first, rows, bytes, end, isComplete };
}

function sameOrigin(a: TransactionPart, b: TransactionPart): boolean {
  if (a.origin === b.origin) return true;
  // Hops are told apart by their nodes: position and time differ in every transaction.
  return a.origin.length === b.origin.length && a.origin.every((hop, at) => hop.node === b.origin[at]?.node);
}
