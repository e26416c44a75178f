import type { Position } from '../../../src/core/position.ts';
import type { MariadbGtidEvent } from './binlog/mariadb-gtid-event.ts';
import { dumpPlace } from './dump-request.ts';
import { type BinlogPosition, compareFiles, type FilePlace, formatPosition } from './position/binlog-position.ts';
import { GtidSet } from './position/gtid-set.ts';
import { MariadbGtids } from './position/mariadb-gtids.ts';

/** What names a transaction in the binlog: what its end adds to the position. */
export type TransactionName =
  | { readonly kind: 'gtid'; readonly source: string; readonly number: number }
  | { readonly kind: 'mariadb'; readonly gtid: MariadbGtidEvent }
  | { readonly kind: 'file' };

/** How far the stream has come, in the terms of the checkpoint that it began with. */
export class Progress {
  readonly #position: BinlogPosition;
  /** Of a start in a file: what begins before it was applied. */
  readonly #start: FilePlace | null;
  /** Where the reader is in the files of this server; '' until the server has told. */
  #file = '';
  #offset = 4;

  constructor(start: BinlogPosition) {
    if (start.kind === 'gtid') this.#position = { kind: 'gtid', set: start.set.copy() };
    else if (start.kind === 'mariadb')
      this.#position = { kind: 'mariadb', gtids: MariadbGtids.parse(String(start.gtids)) };
    else this.#position = start;
    this.#start = start.kind === 'file' ? start.place : null;
    if (start.kind === 'file') ({ file: this.#file, offset: this.#offset } = dumpPlace(start.place));
  }

  get kind(): BinlogPosition['kind'] {
    return this.#position.kind;
  }

  /** Already covered: before the checkpoint, or at it. */
  has(name: TransactionName): boolean {
    if (name.kind === 'gtid' && this.#position.kind === 'gtid') return this.#position.set.has(name.source, name.number);
    if (name.kind === 'mariadb' && this.#position.kind === 'mariadb')
      return this.#position.gtids.has(name.gtid.domain, name.gtid.sequence);
    return this.#start !== null && compareFiles(this.place, this.#start) < 0;
  }

  /** The transaction has ended: it is part of the position. */
  add(name: TransactionName): void {
    if (name.kind === 'gtid' && this.#position.kind === 'gtid') this.#position.set.add(name.source, name.number);
    if (name.kind === 'mariadb' && this.#position.kind === 'mariadb')
      this.#position.gtids.add(name.gtid.domain, name.gtid.server, name.gtid.sequence);
  }

  /** Where the stream is behind this transaction, as far as it can be told before its end. */
  after(name: TransactionName): BinlogPosition {
    if (name.kind === 'gtid') {
      const set = new GtidSet();
      set.add(name.source, name.number);
      return { kind: 'gtid', set };
    }
    if (name.kind === 'mariadb') {
      const { domain, server, sequence } = name.gtid;
      const gtids = new MariadbGtids();
      gtids.add(domain, server, sequence);
      return { kind: 'mariadb', gtids };
    }
    return { kind: 'file', place: { ...this.place, offset: this.place.offset + 1 } };
  }

  rotate(file: string, offset: number): void {
    this.#file = file;
    this.#offset = offset;
  }

  /** An event of the file has been read. Its own idea of where it ends has 32 bits only. */
  passed(nextOffset: number, size: number): void {
    const offset = this.#offset;
    // Few files are as large, and there is an event for every few bytes.
    const whole = offset < 2 ** 32 ? 0 : offset - (offset % 2 ** 32);
    const candidate = whole + nextOffset;
    this.#offset = candidate >= this.#offset ? candidate : candidate + (size < 2 ** 31 ? 2 ** 32 : 0);
  }

  get place(): FilePlace {
    return { file: this.#file, offset: this.#offset };
  }

  /** Where the stream goes on from here. */
  get position(): Position {
    if (this.#position.kind !== 'file') return formatPosition(this.#position);
    return formatPosition({ kind: 'file', place: this.place });
  }

  isBefore(place: FilePlace): boolean {
    return compareFiles(this.place, place) < 0;
  }

  get executed(): GtidSet {
    return this.#position.kind === 'gtid' ? this.#position.set : new GtidSet();
  }
}
