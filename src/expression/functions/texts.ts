import { hash } from 'node:crypto';
import { ExpressionFailure } from '../problem.ts';
import { like, withEscape } from '../types/like.ts';
import {
  characters,
  concatenate,
  initcap,
  lower,
  pad,
  position,
  repeat,
  replace,
  reverse,
  sliceCharacters,
  splitPart,
  substring,
  translate,
  trimBlanks,
  trimEnd,
  trimStart,
  upper,
} from '../types/text.ts';
import type { FunctionTable } from './function-table.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8');
const paddedCharacters = (text: string): number => characters(trimBlanks(text));
const trimBoth = (text: string, set: string): string => trimEnd(trimStart(text, set), set);
const digest = (algorithm: string) => (value: Buffer) => hash(algorithm, value, 'buffer');
const md5 = (value: string | Buffer): string => hash('md5', value, 'hex');
const foldedLike = (text: string, pattern: string): boolean => like(lower(text), lower(pattern));
const likes: FunctionTable = Object.fromEntries(
  ['text,text', 'name,text', 'bpchar,text'].flatMap((types) => [
    [`~~(${types})`, like],
    [`!~~(${types})`, (text: string, pattern: string) => !like(text, pattern)],
    [`~~*(${types})`, foldedLike],
    [`!~~*(${types})`, (text: string, pattern: string) => !foldedLike(text, pattern)],
  ]),
);

export const textFunctions: FunctionTable = {
  ...likes,
  '||(text,text)': concatenate,
  'like_escape(text,text)': withEscape,
  'lower(text)': lower,
  'upper(text)': upper,
  'initcap(text)': initcap,
  'length(text)': characters,
  'length(bpchar)': paddedCharacters,
  'char_length(text)': characters,
  'char_length(bpchar)': paddedCharacters,
  'character_length(text)': characters,
  'character_length(bpchar)': paddedCharacters,
  'octet_length(text)': bytesOf,
  'octet_length(bpchar)': bytesOf,
  'btrim(text)': (text: string) => trimBoth(text, ' '),
  'btrim(text,text)': trimBoth,
  'ltrim(text)': (text: string) => trimStart(text, ' '),
  'ltrim(text,text)': trimStart,
  'rtrim(text)': trimBlanks,
  'rtrim(text,text)': trimEnd,
  'left(text,int4)': (text: string, count: number) =>
    sliceCharacters(text, 0, count >= 0 ? count : characters(text) + count),
  'right(text,int4)': (text: string, count: number) => {
    const length = characters(text);
    return sliceCharacters(text, count >= 0 ? Math.max(length - count, 0) : -count, length);
  },
  'substring(text,int4)': (text: string, start: number) => substring(text, start, null),
  'substring(text,int4,int4)': substring,
  'substr(text,int4)': (text: string, start: number) => substring(text, start, null),
  'substr(text,int4,int4)': substring,
  'overlay(text,text,int4)': (text: string, by: string, start: number) => overlay(text, by, start, characters(by)),
  'overlay(text,text,int4,int4)': overlay,
  'replace(text,text,text)': replace,
  'position(text,text)': position,
  'strpos(text,text)': position,
  'split_part(text,text,int4)': splitPart,
  'lpad(text,int4)': (text: string, length: number) => pad(text, length, ' ', 'left'),
  'lpad(text,int4,text)': (text: string, length: number, fill: string) => pad(text, length, fill, 'left'),
  'rpad(text,int4)': (text: string, length: number) => pad(text, length, ' ', 'right'),
  'rpad(text,int4,text)': (text: string, length: number, fill: string) => pad(text, length, fill, 'right'),
  'repeat(text,int4)': repeat,
  'reverse(text)': reverse,
  'translate(text,text,text)': translate,
  'starts_with(text,text)': (text: string, start: string) => text.startsWith(start),
  'md5(text)': md5,
  'md5(bytea)': md5,
  'sha224(bytea)': digest('sha224'),
  'sha256(bytea)': digest('sha256'),
  'sha384(bytea)': digest('sha384'),
  'sha512(bytea)': digest('sha512'),
  'length(bytea)': (value: Buffer) => value.length,
  'octet_length(bytea)': (value: Buffer) => value.length,
  '||(bytea,bytea)': (a: Buffer, b: Buffer) => Buffer.concat([a, b]),
  'convert_to(text,name)': (text: string, encoding: string) => {
    if (!/^utf-?8$/i.test(encoding)) throw new ExpressionFailure('convert_to knows UTF8 only');
    return Buffer.from(text, 'utf8');
  },
  'encode(bytea,text)': encode,
};

function overlay(text: string, by: string, start: number, length: number): string {
  if (start <= 0) throw new ExpressionFailure('overlay starts before the first character');
  return concatenate(concatenate(substring(text, 1, start - 1), by), substring(text, start + length, null));
}

function encode(value: Buffer, format: string): string {
  switch (format.toLowerCase()) {
    case 'hex':
      return value.toString('hex');
    case 'base64':
      // The server breaks lines after 76 characters.
      return value.toString('base64').replace(/.{76}(?=.)/g, '$&\n');
    default:
      throw new ExpressionFailure('encode knows hex and base64 only');
  }
}
