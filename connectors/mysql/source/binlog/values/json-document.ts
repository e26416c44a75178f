import { columnTypes } from '../column-types.ts';
import { decimalBytes, decimalText } from './decimal.ts';
import { type JsonNode, jsonString } from './json-node.ts';
import { doubleText } from './number-text.ts';
import { readPacked } from './temporal.ts';

const types = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const;

const literals = ['null', 'true', 'false'];
/** As the server refuses to nest deeper; a broken document must not exhaust the stack. */
const deepest = 100;

/** MySQL's binary form of a JSON document, which lies in `bytes` from `start` to `end`. An empty one is the JSON null. */
export function readJson(bytes: Buffer, start: number, end: number): JsonNode {
  if (start === end) return 'null';
  return readValue({ bytes: bytes.subarray(start, end), left: end - start }, 1, bytes[start] ?? 0, 0);
}

/** What a document is read from. `left`: values that it may still have, each being a byte at least; a broken one may lead round and round. */
interface Source {
  readonly bytes: Buffer;
  left: number;
}

/** All places in a document are counted from its own beginning: `at` is where a value of this type begins in `bytes`. */
function readValue(source: Source, at: number, type: number, depth: number): JsonNode {
  const { bytes } = source;
  if (--source.left < 0) throw new RangeError('a JSON document with more values than bytes');
  if (depth > deepest) throw new RangeError(`a JSON document of more than ${deepest} levels`);
  if (
    type === types.smallObject ||
    type === types.smallArray ||
    type === types.largeObject ||
    type === types.largeArray
  )
    return readContainer(source, at, type, depth);
  if (type === types.string) {
    const { value: length, next } = variableLength(bytes, at);
    return jsonString(checked(bytes, next, length).toString('utf8'));
  }
  if (type === types.opaque) return readOpaque(bytes, at);
  return readScalar(bytes, at, type);
}

function readScalar(bytes: Buffer, at: number, type: number): string {
  if (type === types.literal) {
    const text = literals[bytes.readUInt8(at)];
    if (text === undefined) throw new RangeError('an unknown JSON literal');
    return text;
  }
  if (type === types.int16) return String(bytes.readInt16LE(at));
  if (type === types.uint16) return String(bytes.readUInt16LE(at));
  if (type === types.int32) return String(bytes.readInt32LE(at));
  if (type === types.uint32) return String(bytes.readUInt32LE(at));
  if (type === types.int64) return String(bytes.readBigInt64LE(at));
  if (type === types.uint64) return String(bytes.readBigUInt64LE(at));
  if (type !== types.double) throw new RangeError(`an unknown JSON type ${type}`);
  const text = doubleText(bytes.readDoubleLE(at));
  // Else it would be read back as an integer.
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function readContainer(source: Source, at: number, type: number, depth: number): JsonNode {
  const { bytes } = source;
  const large = type === types.largeObject || type === types.largeArray;
  const isObject = type === types.smallObject || type === types.largeObject;
  const width = large ? 4 : 2;
  const number = (place: number): number => bytes.readUIntLE(place, width);
  const count = number(at);
  const size = number(at + width);
  const keys = at + 2 * width;
  const values = keys + (isObject ? count * (width + 2) : 0);
  if (at + size > bytes.length || values + count * (width + 1) > at + size)
    throw new RangeError('a JSON container ends early');
  const item = (i: number): JsonNode => {
    const entry = values + i * (width + 1);
    const kind = bytes.readUInt8(entry);
    const inline = kind >= types.literal && kind <= (large ? types.uint32 : types.uint16);
    return readValue(source, inline ? entry + 1 : at + number(entry + 1), kind, depth + 1);
  };
  if (!isObject) return { items: Array.from({ length: count }, (_, i) => item(i)) };
  const members = Array.from({ length: count }, (_, i) => {
    const entry = keys + i * (width + 2);
    const key = checked(bytes, at + number(entry), bytes.readUInt16LE(entry + width)).toString('utf8');
    return { key, value: item(i) };
  });
  return { members };
}

/** A value of SQL that JSON has no type for. As the server writes it: a number, or a text. */
function readOpaque(bytes: Buffer, at: number): string {
  const type = bytes.readUInt8(at);
  const { value: length, next } = variableLength(bytes, at + 1);
  const data = checked(bytes, next, length);
  if (type === columnTypes.newDecimal) {
    const precision = data.readUInt8(0);
    const scale = data.readUInt8(1);
    if (scale > precision || data.length < 2 + decimalBytes(precision, scale))
      throw new RangeError('a decimal in a JSON document ends early');
    return decimalText(data, 2, precision, scale);
  }
  if (type === columnTypes.date) return jsonString(readPacked(data.readBigInt64LE(0), 'date'));
  if (type === columnTypes.time) return jsonString(readPacked(data.readBigInt64LE(0), 'time'));
  if (type === columnTypes.dateTime || type === columnTypes.timestamp)
    return jsonString(readPacked(data.readBigInt64LE(0), 'datetime'));
  const lines = data.toString('base64').match(/.{1,76}/g) ?? [];
  return jsonString(`base64:type${type}:${lines.join('\n')}`);
}

function checked(bytes: Buffer, start: number, length: number): Buffer {
  if (start + length > bytes.length) throw new RangeError('a JSON value ends early');
  return bytes.subarray(start, start + length);
}

/** Seven bits a byte, lowest first. */
function variableLength(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes.readUInt8(at + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  throw new RangeError('a length of more than 32 bits in a JSON document');
}
