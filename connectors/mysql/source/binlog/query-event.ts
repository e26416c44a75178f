import { ByteReader } from './byte-reader.ts';
import './buffer-slices.ts';
import type { BinlogEvent } from './event-framer.ts';
import { inflateMariadb } from './mariadb-compressed.ts';

export interface QueryEvent {
  /** The default database that the statement was run in; '' where there was none. */
  readonly database: string;
  readonly errorCode: number;
  /** The statement's text as latin1: keywords and ASCII names can be read, whatever the client's charset. May hold values: never logged. */
  readonly text: string;
}

export function readQuery(event: BinlogEvent): QueryEvent {
  return read(event, (bytes, start, end) => bytes.subarray(start, end));
}

/** As MariaDB writes it with log_bin_compress. */
export function readCompressedQuery(event: BinlogEvent, maxBytes: number): QueryEvent {
  return read(event, (bytes, start, end) => inflateMariadb(bytes, start, end, maxBytes));
}

function read(
  { bytes, start, end }: BinlogEvent,
  textOf: (bytes: Buffer, start: number, end: number) => Buffer,
): QueryEvent {
  const reader = new ByteReader(bytes, start, end);
  reader.skip(8);
  const databaseLength = reader.uint(1);
  const errorCode = reader.uint(2);
  reader.skip(reader.uint(2));
  const database = reader.text(databaseLength);
  reader.skip(1);
  return { database, errorCode, text: textOf(bytes, reader.at, end).latin1Slice() };
}
