import './buffer-slices.ts';
import { inflateRawSync, inflateSync } from 'node:zlib';
import type { Cell, Row } from '../../../../src/core/cell.ts';
import { emptyMemberAlone } from '../../catalogue/members.ts';
import { ByteReader, readUint32 } from './byte-reader.ts';
import * as kind from './row-kinds.ts';
import type { RowPlan } from './row-plan.ts';
import { decimalBytes, decimalText } from './values/decimal.ts';
import { applyJsonDiffs } from './values/json-diff.ts';
import { readJson } from './values/json-document.ts';
import { type JsonNode, jsonText } from './values/json-node.ts';
import { doubleText, floatText } from './values/number-text.ts';
import { inet4Text, inet6Text, uuidText } from './values/stored-types.ts';
import { fractionBytes, readDate, readDateTime, readTime, readTimestamp } from './values/temporal.ts';
import { InvalidTextError } from './values/text-decoder.ts';

/** Up to here an event is turned into one string whole, of which its ASCII texts are slices. */
const slicedBytes = 65_536;
/** The highest bit of each of four bytes. */
const highBits = 0x80808080 | 0;

/** A value can't be told exactly. The value itself is never told. */
export class UnreadableValueError extends Error {
  readonly column: number;

  constructor(column: number, why: string) {
    super(why);
    this.column = column;
  }
}

const noBytes: Buffer = Buffer.alloc(0);
const noView = new DataView(new ArrayBuffer(0));

/**
 * Reads the row images of one rows event after the other. A row is one array and its cells: an event of ordinary size is
 * turned into a latin1 string once, and a text whose bytes are all ASCII is a slice of it; anything else is decoded by itself.
 * A value that an update has left as it was is one cell of both images: most of what an update logs are such values.
 */
export class RowReader {
  #bytes = noBytes;
  #start = 0;
  #end = 0;
  #latin1: string | null = null;
  /** Of the bytes that were read last: one for all events of a chunk of the socket. */
  #view: DataView = noView;
  #viewed = noBytes;
  /** Where each logged column of the image before begins; -1 where it is NULL. */
  #starts = new Int32Array(32);
  /** Where the next image begins. */
  at = 0;
  /** JSON documents of the image before, by column: what a partial update is applied to. */
  readonly documents = new Map<number, JsonNode>();

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#latin1 = null;
    this.at = start;
    if (this.#viewed === bytes) return;
    this.#viewed = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Lets what was made of the event go. */
  close(): void {
    this.#latin1 = null;
    if (this.documents.size > 0) this.documents.clear();
    // A small chunk may stay until the next: a large one is a value's.
    if (this.#bytes.length <= slicedBytes) return;
    this.#bytes = noBytes;
    this.#viewed = noBytes;
    this.#view = noView;
  }

  get left(): number {
    return this.#end - this.at;
  }

  /** What stands in front of an image of a partial update. */
  partialColumns(read: (head: ByteReader) => ReadonlySet<number>): ReadonlySet<number> {
    const head = new ByteReader(this.#bytes, this.at, this.#end);
    const found = read(head);
    this.at = head.at;
    return found;
  }

  /** One image, in which all columns are. `keepJson`: its documents are kept for the partial update that the next one is. */
  image(plan: RowPlan, keepJson = false): Row {
    return this.#image(plan, null, keepJson, null);
  }

  /** The new image of an update, right behind its old one; `partial` tells which documents it changes in part. */
  newImage(plan: RowPlan, old: Row, partial: ReadonlySet<number> | null): Row {
    return this.#image(plan, old, false, partial);
  }

  #image(plan: RowPlan, old: Row | null, keepJson: boolean, partial: ReadonlySet<number> | null): Row {
    const { columns, kinds, places, widths } = plan;
    const bytes = this.#bytes;
    const nulls = this.at;
    if (this.#starts.length < columns) this.#starts = new Int32Array(columns);
    const starts = this.#starts;
    let at = nulls + ((columns + 7) >> 3);
    if (at > this.#end) throw new RangeError('a row ends early');
    const row: Row = new Array<Cell>(plan.table.columns.length);
    for (let column = 0; column < columns; column++) {
      const place = places === null ? column : (places[column] as number);
      if (((bytes[nulls + (column >> 3)] as number) & (1 << (column & 7))) !== 0) {
        if (old === null) starts[column] = -1;
        if (place >= 0) row[place] = null;
        continue;
      }
      let before = -1;
      if (old === null) starts[column] = at;
      else before = starts[column] as number;
      if (before >= 0 && old !== null && place >= 0) {
        const width = this.#sameBytes(before, at, widths[column] as number);
        if (width > 0) {
          row[place] = old[place] as Cell;
          at += width;
          continue;
        }
      }
      let cell: Cell;
      switch (kinds[column]) {
        case kind.int32:
          cell = String(
            (bytes[at] as number) |
              ((bytes[at + 1] as number) << 8) |
              ((bytes[at + 2] as number) << 16) |
              ((bytes[at + 3] as number) << 24),
          );
          at += 4;
          break;
        case kind.int64: {
          const high = readUint32(bytes, at + 4) | 0;
          // Within what a double holds exactly.
          cell =
            high === 0
              ? String(readUint32(bytes, at))
              : high >= -0x200000 && high < 0x200000
                ? String(high * 4_294_967_296 + readUint32(bytes, at))
                : String(BigInt(high) * 4_294_967_296n + BigInt(readUint32(bytes, at)));
          at += 8;
          break;
        }
        case kind.utf8:
          this.at = at;
          cell = this.#utf8(plan, column);
          at = this.at;
          break;
        case kind.json:
          this.at = at;
          cell = this.#json(plan, column, keepJson, partial?.has(column) === true);
          at = this.at;
          break;
        default:
          this.at = at;
          cell = this.#cell(plan, column, kinds[column] as number);
          at = this.at;
      }
      if (place >= 0) row[place] = cell;
    }
    this.at = at;
    // What was read beyond the end was not this event's: nothing of the row is used.
    if (at > this.#end) throw new RangeError('a row ends early');
    return row;
  }

  /**
   * How many bytes a column takes at both places, where they are the same; else 0. `width`: of its values, or the bytes of their
   * lengths as a negative number, or 0 where it has to be read.
   */
  #sameBytes(before: number, at: number, width: number): number {
    if (width === 0) return 0;
    const bytes = this.#bytes;
    let length = width;
    if (width === -1) length = 1 + (bytes[at] as number);
    else if (width === -2) length = 2 + ((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
    else if (width < 0) return 0;
    if (at + length > this.#end) return 0;
    const view = this.#view;
    let i = 0;
    for (; i < length - 3; i += 4) if (view.getInt32(before + i) !== view.getInt32(at + i)) return 0;
    for (; i < length; i++) if (bytes[before + i] !== bytes[at + i]) return 0;
    return length;
  }

  #cell(plan: RowPlan, column: number, of: number): Cell {
    const bytes = this.#bytes;
    const at = this.at;
    switch (of) {
      case kind.uint32:
        this.at = at + 4;
        return String(readUint32(bytes, at));
      case kind.uint64: {
        this.at = at + 8;
        const high = readUint32(bytes, at + 4);
        if (high < 0x200000) return String(high * 4_294_967_296 + readUint32(bytes, at));
        return String(BigInt(high) * 4_294_967_296n + BigInt(readUint32(bytes, at)));
      }
      case kind.int8:
        this.at = at + 1;
        return String(((bytes[at] as number) << 24) >> 24);
      case kind.uint8:
        this.at = at + 1;
        return String((bytes[at] as number) | 0);
      case kind.int16:
        this.at = at + 2;
        return String((((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) << 16) >> 16);
      case kind.uint16:
        this.at = at + 2;
        return String((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
      case kind.int24:
        this.at = at + 3;
        return String((this.#uint24(at) << 8) >> 8);
      case kind.uint24:
        this.at = at + 3;
        return String(this.#uint24(at));
      case kind.decimal: {
        const precision = plan.first[column] ?? 0;
        const scale = plan.second[column] ?? 0;
        this.at = at + decimalBytes(precision, scale);
        return decimalText(bytes, at, precision, scale);
      }
      case kind.dateTime:
        this.at = at + 5 + fractionBytes(plan.first[column] ?? 0);
        return readDateTime(bytes, at, plan.first[column] ?? 0);
      case kind.timestamp:
        this.at = at + 4 + fractionBytes(plan.first[column] ?? 0);
        this.#demand(0);
        return readTimestamp(bytes, at, plan.first[column] ?? 0);
      case kind.date:
        this.at = at + 3;
        return readDate(bytes, at);
      default:
        return this.#rare(plan, column, of);
    }
  }

  #rare(plan: RowPlan, column: number, of: number): Cell {
    const bytes = this.#bytes;
    const at = this.at;
    const first = plan.first[column] ?? 0;
    switch (of) {
      case kind.text: {
        const length = this.#length(first);
        return this.#decode(plan, column, bytes, this.#skip(length), length);
      }
      case kind.blob: {
        const length = this.#length(first);
        const start = this.#skip(length);
        // A copy: a view would keep all that came with it.
        return Buffer.from(bytes.subarray(start, start + length));
      }
      case kind.padded:
        return this.#padded(plan, column);
      case kind.uuid:
        return uuidText(this.#padded(plan, column));
      case kind.inet4:
        return inet4Text(this.#padded(plan, column));
      case kind.inet6:
        return inet6Text(this.#padded(plan, column));
      case kind.double:
        return doubleText(bytes.readDoubleLE(this.#skip(8)));
      case kind.float:
        return floatText(bytes.readFloatLE(this.#skip(4)));
      case kind.time:
        this.at = at + 3 + fractionBytes(first);
        return readTime(bytes, at, first);
      case kind.year: {
        const year = bytes.readUInt8(this.#skip(1));
        return year === 0 ? '0000' : String(1900 + year);
      }
      case kind.bit: {
        const length = (first + 7) >> 3;
        const hex = bytes.hexSlice(this.#skip(length), this.at);
        return BigInt(`0x${hex}`).toString(2).padStart(first, '0');
      }
      case kind.enumeration:
        return this.#member(plan, column, bytes.readUIntLE(this.#skip(first), first));
      case kind.set:
        return this.#set(plan, column, first);
      case kind.compressed:
        return this.#compressed(plan, column, first);
      default:
        throw new RangeError(`a column of kind ${of}`);
    }
  }

  #padded(plan: RowPlan, column: number): Buffer {
    const length = this.#length(plan.first[column] ?? 0);
    const start = this.#skip(length);
    const padded = Buffer.alloc(plan.second[column] ?? 0);
    if (length > padded.length) throw new RangeError('a value is longer than its column');
    this.#bytes.copy(padded, 0, start, start + length);
    return padded;
  }

  #uint24(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  }

  #demand(length: number): void {
    if (this.at + length > this.#end) throw new RangeError('a row ends early');
  }

  #skip(length: number): number {
    this.#demand(length);
    const start = this.at;
    this.at = start + length;
    return start;
  }

  #length(width: number): number {
    const start = this.#skip(width);
    const bytes = this.#bytes;
    if (width === 1) return bytes[start] ?? 0;
    if (width === 2) return (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8);
    return bytes.readUIntLE(start, width);
  }

  #utf8(plan: RowPlan, column: number): string {
    const length = this.#length(plan.first[column] as number);
    if (length === 0) return '';
    const start = this.#skip(length);
    const end = start + length;
    const bytes = this.#bytes;
    if (this.#end - this.#start <= slicedBytes) {
      const view = this.#view;
      let all = 0;
      let at = start;
      for (; at < end - 3; at += 4) all |= view.getInt32(at);
      for (; at < end; at++) all |= bytes[at] as number;
      if ((all & highBits) === 0) {
        this.#latin1 ??= bytes.latin1Slice(this.#start, this.#end);
        return this.#latin1.substring(start - this.#start, end - this.#start);
      }
    }
    return this.#decode(plan, column, bytes, start, length);
  }

  #decode(plan: RowPlan, column: number, bytes: Buffer, start: number, length: number): string {
    const decode = plan.decoders[column];
    if (decode === null || decode === undefined) throw new RangeError('a text without a charset');
    try {
      return decode(bytes, start, start + length);
    } catch (error) {
      if (!(error instanceof InvalidTextError)) throw error;
      throw new UnreadableValueError(column, 'it is no text of its charset');
    }
  }

  #member(plan: RowPlan, column: number, index: number): string {
    const members = plan.members[column] ?? [];
    // What a session that was not strict has made of a value that is no member: it has no text that gives it back.
    if (index === 0) throw new UnreadableValueError(column, 'it is not among the members of its enum');
    const member = members[index - 1];
    if (member === undefined) throw new RangeError('an enum beyond its members');
    return member;
  }

  #set(plan: RowPlan, column: number, width: number): string {
    const members = plan.members[column] ?? [];
    const start = this.#skip(width);
    const chosen: string[] = [];
    for (let i = 0; i < width * 8; i++) {
      if (((this.#bytes[start + (i >> 3)] ?? 0) & (1 << (i & 7))) === 0) continue;
      const member = members[i];
      if (member === undefined) throw new RangeError('a set beyond its members');
      chosen.push(member);
    }
    if (chosen.length === 1 && chosen[0] === '') throw new UnreadableValueError(column, emptyMemberAlone);
    return chosen.join(',');
  }

  /** One byte of header: zero and the value as it is, or 8 in its upper half, whether it is raw, and how many bytes its length has. */
  #compressed(plan: RowPlan, column: number, width: number): Cell {
    const length = this.#length(width);
    const start = this.#skip(length);
    let value: Buffer = Buffer.alloc(0);
    if (length > 0) {
      const header = this.#bytes[start] ?? 0;
      const body = this.#bytes.subarray(start + 1, start + length);
      if (header === 0) value = Buffer.from(body);
      else if (header >> 4 !== 8) throw new RangeError('a column compressed in an unknown way');
      else {
        const lengthBytes = header & 7;
        const told = lengthBytes === 0 ? 0 : body.readUIntBE(0, lengthBytes);
        const packed = body.subarray(lengthBytes);
        value = inflate(packed, told, (header & 8) !== 0);
        if (value.length !== told) throw new RangeError('a compressed value of another length');
      }
    }
    return plan.decoders[column] === null ? value : this.#decode(plan, column, value, 0, value.length);
  }

  #json(plan: RowPlan, column: number, keep: boolean, partial: boolean): string {
    const length = this.#length(plan.first[column] ?? 0);
    const start = this.#skip(length);
    let document: JsonNode;
    if (partial) {
      const before = this.documents.get(column);
      if (before === undefined)
        throw new UnreadableValueError(column, 'the document that a partial update changes is not logged');
      document = applyJsonDiffs(before, this.#bytes, start, start + length);
    } else document = readJson(this.#bytes, start, start + length);
    if (keep) this.documents.set(column, document);
    return jsonText(document);
  }
}

function inflate(packed: Buffer, length: number, raw: boolean): Buffer {
  const options = { maxOutputLength: Math.max(length, 1) };
  try {
    return raw ? inflateRawSync(packed, options) : inflateSync(packed, options);
  } catch {
    throw new RangeError('a compressed value that can not be unpacked');
  }
}
