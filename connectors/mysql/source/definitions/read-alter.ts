import type { ColumnAlteration, ToldCommand } from '../../../../src/core/column-alteration.ts';
import { type TableName, tableLabel } from '../../../../src/core/table.ts';
import { AlterReader } from './alter-reader.ts';
import { alterTokens, type SqlDialect, UnreadableStatementError } from './alter-tokens.ts';
import { readColumn } from './read-column.ts';

export interface WrittenStatement {
  /** As latin1, a character for each byte. */
  readonly text: string;
  /** In which names without one are. */
  readonly database: string;
  /** Of the client that has given it, and what its texts are made to; none where that is not known. */
  readonly charsets: readonly string[];
  readonly dialect: SqlDialect;
  /** As ServerFacts has it. */
  readonly logsCascades: boolean;
}

/** A byte of a longer character is never a sign of the grammar in these, and names in them are what they are in the catalogue. */
const readableCharsets: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8']);

/**
 * What an ALTER TABLE of `table` does to its columns. Only what is known is read, word for word: a statement that has anything else in it is refused, since
 * one that is misread would be worse than one that halts. What it says is not believed by itself either: see follow.ts.
 */
export function readAlter(table: TableName, statement: WrittenStatement): ToldCommand {
  try {
    const { text, charsets, dialect, database } = statement;
    if (charsets.includes('swe7'))
      throw new UnreadableStatementError('it was given in swe7, in which brackets are letters');
    const isAscii = !/[\x80-\xff]/.test(text);
    if (!isAscii && (charsets.length === 0 || !charsets.every((charset) => readableCharsets.has(charset))))
      throw new UnreadableStatementError('it was given in a charset that is not read, or its texts are made to one');
    const tokens = alterTokens(text, dialect);
    if (dialect.emptyIsNull && tokens.some(({ kind, text: inside }) => kind === 'text' && inside === ''))
      throw new UnreadableStatementError('an empty text in it is NULL');
    const reader = new AlterReader(tokens);
    readHead(reader, table, database);
    const parts: ColumnAlteration[] = [];
    do parts.push(...readPart(reader));
    while (reader.takeSign(','));
    reader.takeSign(';');
    if (!reader.ended) throw new UnreadableStatementError('something stands behind it');
    if (reader.foreignKeyActs && !statement.logsCascades)
      throw new UnreadableStatementError('it adds a foreign key that changes rows, which this server does not log');
    if (dialect.padsCharacters && parts.some((part) => part.kind === 'modify' && part.column.type === 'string'))
      throw new UnreadableStatementError('it reads texts with blanks behind them');
    return parts;
  } catch (error) {
    if (!(error instanceof UnreadableStatementError)) throw error;
    return [{ kind: 'refused', why: `an ALTER TABLE can not be followed: ${error.message}` }];
  }
}

function readHead(reader: AlterReader, table: TableName, database: string): void {
  if (reader.take('SET STATEMENT')) readVariables(reader);
  if (!reader.take('ALTER')) throw new UnreadableStatementError('it begins with another word');
  while (reader.take('ONLINE') || reader.take('OFFLINE'));
  if (!reader.take('TABLE')) throw new UnreadableStatementError('it is not of a table');
  reader.take('IF EXISTS');
  const first = reader.name();
  const named = reader.takeSign('.') ? { schema: first, name: reader.name() } : { schema: database, name: first };
  if (tableLabel(named) !== tableLabel(table)) throw new UnreadableStatementError('it names another table');
  if (reader.take('WAIT')) reader.next();
  else reader.take('NOWAIT');
}

/** Of MariaDB: variables that have a value for one statement. */
function readVariables(reader: AlterReader): void {
  do {
    if (!harmlessVariables.has(reader.keyword())) refuse('it sets a variable that is not known');
    reader.next();
    if (!reader.takeSign('=')) refuse('a variable in it has no value');
    reader.next();
  } while (reader.takeSign(','));
  if (!reader.take('FOR')) refuse('a variable in it has a value that is not read');
}

/** Those that say nothing of what a statement does. */
const harmlessVariables: ReadonlySet<string> = new Set([
  ...['LOCK_WAIT_TIMEOUT', 'INNODB_LOCK_WAIT_TIMEOUT', 'MAX_STATEMENT_TIME', 'ALTER_ALGORITHM'],
]);

const refuse = (why: string): never => {
  throw new UnreadableStatementError(why);
};

function notFollowed(reader: AlterReader): string {
  return `${reader.keyword() || 'a part of it'} is not one of the changes that are followed`;
}

/** Up to the comma behind it. */
function readPart(reader: AlterReader): readonly ColumnAlteration[] {
  if (reader.ended) return [];
  if (reader.take('ADD')) return readAdd(reader);
  if (reader.take('DROP')) return readDrop(reader);
  if (reader.take('MODIFY')) return [readModify(reader, false)];
  if (reader.take('CHANGE')) return [readModify(reader, true)];
  if (reader.take('RENAME')) return readRename(reader);
  if (reader.take('ALTER')) {
    // Defaults for rows to come, constraints, indexes that are seen or not.
    reader.skipPart();
    return [];
  }
  if (reader.take('ORDER BY') || reader.take('PARTITION BY')) {
    reader.skipAll();
    return [];
  }
  if (harmlessPartitions.has(reader.keyword()) && reader.keyword(1).startsWith('PARTITION')) {
    reader.skipAll();
    return [];
  }
  if (!harmless.has(reader.keyword())) return refuse(notFollowed(reader));
  return readOptions(reader);
}

const harmlessPartitions: ReadonlySet<string> = new Set([
  ...['REMOVE', 'REORGANIZE', 'COALESCE', 'REBUILD', 'OPTIMIZE', 'ANALYZE', 'CHECK'],
]);

/** First words of parts that leave rows and columns alone. */
const harmless: ReadonlySet<string> = new Set([
  ...['ALGORITHM', 'LOCK', 'FORCE', 'ENABLE', 'DISABLE', 'WITH', 'WITHOUT', 'NOWAIT', 'WAIT'],
  ...['ENGINE', 'TYPE', 'AUTO_INCREMENT', 'AVG_ROW_LENGTH', 'CHECKSUM', 'TABLE_CHECKSUM', 'COMMENT', 'COMPRESSION'],
  ...['CONNECTION', 'DATA', 'INDEX', 'DELAY_KEY_WRITE', 'ENCRYPTION', 'ENCRYPTED', 'ENCRYPTION_KEY_ID'],
  ...['INSERT_METHOD', 'KEY_BLOCK_SIZE', 'MAX_ROWS', 'MIN_ROWS', 'PACK_KEYS', 'PAGE_CHECKSUM', 'PAGE_COMPRESSED'],
  ...['PAGE_COMPRESSION_LEVEL', 'ROW_FORMAT', 'STATS_AUTO_RECALC', 'STATS_PERSISTENT', 'STATS_SAMPLE_PAGES'],
  ...['TABLESPACE', 'TRANSACTIONAL', 'AUTOEXTEND_SIZE', 'ENGINE_ATTRIBUTE', 'SECONDARY_ENGINE'],
  ...['SECONDARY_ENGINE_ATTRIBUTE', 'SECONDARY_LOAD', 'SECONDARY_UNLOAD', 'DEFAULT', 'CHARACTER', 'CHARSET', 'COLLATE'],
]);

/** Others may not hold the rows (BLACKHOLE), or not as they are, or have no transactions (preflight/check-tables.ts). */
const engines: ReadonlySet<string> = new Set(['INNODB', 'ROCKSDB']);

function readOptions(reader: AlterReader): readonly ColumnAlteration[] {
  while (!reader.ended && !reader.isSign(',')) {
    // Options may stand beside one another without a comma.
    if (reader.keyword().startsWith('WITH') && reader.keyword(1) !== 'VALIDATION') return refuse(notFollowed(reader));
    if (reader.take('ENGINE') || reader.take('TYPE')) {
      reader.takeSign('=');
      const token = reader.next();
      if (!engines.has(token.text.toUpperCase())) return refuse('it gives the table another engine');
    } else if (!reader.skipParentheses()) reader.next();
    if (reader.isSign(';')) return [];
  }
  return [];
}

const indexWords: ReadonlySet<string> = new Set([
  ...['INDEX', 'KEY', 'UNIQUE', 'FULLTEXT', 'SPATIAL', 'FOREIGN', 'CHECK'],
]);

function readAdd(reader: AlterReader): readonly ColumnAlteration[] {
  const isColumn = reader.take('COLUMN');
  if (!isColumn) {
    if (reader.take('PARTITION')) {
      reader.skipAll();
      return [];
    }
    if (isIndex(reader)) return [];
  }
  const optional = reader.take('IF NOT EXISTS');
  if (!reader.takeSign('(')) return [readAdded(reader, optional)];
  const parts: ColumnAlteration[] = [];
  do if (!isIndex(reader)) parts.push(readAdded(reader, optional));
  while (reader.takeSign(','));
  if (!reader.takeSign(')')) refuse('a list of columns in it has no end');
  return parts;
}

/** An index or a constraint is passed over. Throws for what changes the primary key. */
function isIndex(reader: AlterReader): boolean {
  const word = reader.keyword();
  if (word === 'PRIMARY') refuse('it changes the primary key');
  if (word === 'PERIOD' || (word === 'SYSTEM' && reader.keyword(1) === 'VERSIONING'))
    refuse('it makes the table one of versions');
  if (word === 'CONSTRAINT') {
    reader.next();
    reader.take('IF NOT EXISTS');
    if (reader.keyword() !== 'PRIMARY' && !indexWords.has(reader.keyword())) reader.name();
    if (!indexWords.has(reader.keyword())) refuse('it changes the primary key');
  } else if (word === 'VECTOR' && ['INDEX', 'KEY'].includes(reader.keyword(1))) reader.next();
  else if (!indexWords.has(word)) return false;
  reader.skipPart();
  return true;
}

function readAdded(reader: AlterReader, optional: boolean): ColumnAlteration {
  const name = reader.name();
  const column = readColumn(reader);
  readPlace(reader);
  return { kind: 'add', name, column, optional };
}

function readModify(reader: AlterReader, renames: boolean): ColumnAlteration {
  reader.take('COLUMN');
  const optional = reader.take('IF EXISTS');
  const name = reader.name();
  const to = renames ? reader.name() : name;
  const column = readColumn(reader);
  readPlace(reader);
  return { kind: 'modify', name, to, column, optional };
}

/** Columns are told by their names: where one stands is no matter. */
function readPlace(reader: AlterReader): void {
  if (reader.take('FIRST')) return;
  if (reader.take('AFTER')) reader.name();
}

function readDrop(reader: AlterReader): readonly ColumnAlteration[] {
  if (!reader.take('COLUMN')) {
    const word = reader.keyword();
    if (word === 'PRIMARY') return refuse('it changes the primary key');
    if (['PARTITION', 'PERIOD', 'SYSTEM'].includes(word)) return refuse(`DROP ${notFollowed(reader)}`);
    if (indexWords.has(word) || word === 'CONSTRAINT') {
      reader.next();
      reader.take('KEY');
      reader.take('IF EXISTS');
      if (reader.name().toUpperCase() === 'PRIMARY') return refuse('it changes the primary key');
      return [];
    }
  }
  const optional = reader.take('IF EXISTS');
  const name = reader.name();
  if (!reader.take('RESTRICT')) reader.take('CASCADE');
  return [{ kind: 'drop', name, optional }];
}

function readRename(reader: AlterReader): readonly ColumnAlteration[] {
  if (reader.take('INDEX') || reader.take('KEY')) {
    reader.skipPart();
    return [];
  }
  if (!reader.take('COLUMN')) return refuse('it gives the table another name');
  const optional = reader.take('IF EXISTS');
  const name = reader.name();
  if (!reader.take('TO')) return refuse('a name is missing in it');
  return [{ kind: 'rename', name, to: reader.name(), optional }];
}
