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
  /** What was true of the session, as the event has it. Only good until the next event is read. */
  readonly status: Buffer;
}

/** What decides how a statement is to be read. */
export interface StatementSettings {
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  /** An empty text is NULL, of MariaDB. */
  readonly emptyIsNull: boolean;
  readonly padsCharacters: boolean;
  /** Ids of collations of the client's charset, and of the one that its texts are made to; none where the event does not say. */
  readonly collations: readonly number[];
}

const codes = { flags: 0, sqlMode: 1, catalog: 2, autoIncrement: 3, charset: 4, catalogName: 6 };

export function readSettings({ status }: Pick<QueryEvent, 'status'>, mariadb: boolean): StatementSettings {
  const reader = new ByteReader(status, 0, status.length);
  let sqlMode = 0;
  let furtherModes = 0;
  let collations: readonly number[] = [];
  // These come first, in whatever order.
  while (reader.left > 0) {
    const code = reader.uint(1);
    if (code === codes.flags || code === codes.autoIncrement) reader.skip(4);
    else if (code === codes.sqlMode) {
      sqlMode = reader.uint(4);
      furtherModes = reader.uint(4);
    } else if (code === codes.catalog) reader.skip(reader.uint(1) + 1);
    else if (code === codes.catalogName) reader.skip(reader.uint(1));
    else {
      if (code === codes.charset) collations = [reader.uint(2), reader.uint(2)];
      break;
    }
  }
  return {
    ansiQuotes: (sqlMode & 0x4) !== 0,
    noBackslashEscapes: (sqlMode & 0x10_0000) !== 0,
    // The same bit is another mode of MySQL's.
    emptyIsNull: mariadb && (furtherModes & 0x1) !== 0,
    padsCharacters: (sqlMode & 0x8000_0000) !== 0,
    collations,
  };
}

const begin = Buffer.from('BEGIN');
/** In front of the status: thread, time, length of the database's name, error code, length of the status. */
const headBytes = 13;

/** The statement is BEGIN, as servers write it in front of nearly every transaction: nothing else has to be read of it. */
export function isBegin({ bytes, start, end }: BinlogEvent): boolean {
  const at = end - begin.length;
  if (at < start + headBytes) return false;
  for (let i = 0; i < begin.length; i++) if (bytes[at + i] !== begin[i]) return false;
  const databaseBytes = bytes[start + 8] as number;
  const statusBytes = (bytes[start + 11] as number) | ((bytes[start + 12] as number) << 8);
  return start + headBytes + statusBytes + databaseBytes + 1 === at;
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
  const status = reader.view(reader.uint(2));
  const database = reader.text(databaseLength);
  reader.skip(1);
  return { database, errorCode, status, text: textOf(bytes, reader.at, end).latin1Slice() };
}
