import { sourceErrors } from '../../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../../src/core/errors/tidelock-error.ts';
import type { Position, PositionOrder } from '../../../../src/core/position.ts';
import { GtidSet } from './gtid-set.ts';
import { MariadbGtids } from './mariadb-gtids.ts';

/** A place in one server's own binlogs, for servers without GTIDs. */
export interface FilePlace {
  readonly file: string;
  readonly offset: number;
}

/** The three kinds of positions, told apart by their text. */
export type BinlogPosition =
  | { readonly kind: 'gtid'; readonly set: GtidSet }
  | { readonly kind: 'mariadb'; readonly gtids: MariadbGtids }
  | { readonly kind: 'file'; readonly place: FilePlace };

/** A server that has executed nothing yet has no text for it: that of its vendor is taken. */
const nothing = { mysql: 'gtid:none', mariadb: 'mariadb:none' } as const;

export function parsePosition(text: string): BinlogPosition {
  if (text === nothing.mysql) return { kind: 'gtid', set: new GtidSet() };
  if (text === nothing.mariadb) return { kind: 'mariadb', gtids: new MariadbGtids() };
  const file = /^([^:,/\s]+\.\d{6,})[:](\d{1,16})$/.exec(text);
  if (file !== null) return { kind: 'file', place: { file: file[1] ?? '', offset: Number(file[2]) } };
  // A UUID may begin with digits and hyphens, too.
  if (/^\s*\d+-\d+-\d+\s*(,|$)/.test(text)) return { kind: 'mariadb', gtids: MariadbGtids.parse(text) };
  const set = GtidSet.parse(text);
  if (set.isEmpty) throw fail(sourceErrors.invalidPosition, { text });
  return { kind: 'gtid', set };
}

export function formatPosition(position: BinlogPosition): Position {
  return textOf(position) as Position;
}

function textOf(position: BinlogPosition): string {
  if (position.kind === 'gtid') return position.set.isEmpty ? nothing.mysql : position.set.toString();
  if (position.kind === 'mariadb') return position.gtids.toString() || nothing.mariadb;
  return `${position.place.file}:${position.place.offset}`;
}

/** False for positions of two kinds: neither says anything of the other. */
export function coversPosition(a: BinlogPosition, b: BinlogPosition): boolean {
  if (a.kind === 'gtid' && b.kind === 'gtid') return a.set.covers(b.set);
  if (a.kind === 'mariadb' && b.kind === 'mariadb') return a.gtids.covers(b.gtids);
  if (a.kind === 'file' && b.kind === 'file') return compareFiles(a.place, b.place) >= 0;
  return false;
}

/** By the number at the end of the file's name, which grows beyond six digits. */
export function compareFiles(a: FilePlace, b: FilePlace): number {
  const [baseA, numberA] = splitName(a.file);
  const [baseB, numberB] = splitName(b.file);
  if (baseA !== baseB) return Number.NaN;
  return numberA - numberB || a.offset - b.offset;
}

function splitName(file: string): readonly [base: string, number: number] {
  const dot = file.lastIndexOf('.');
  return [file.slice(0, dot), Number(file.slice(dot + 1))];
}

export const binlogOrder: PositionOrder = {
  covers: (a, b) => a === b || coversPosition(parsePosition(a), parsePosition(b)),
  parse: (text) => formatPosition(parsePosition(text)),
  bytes: () => null,
};
