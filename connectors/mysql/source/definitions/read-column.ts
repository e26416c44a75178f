import type { WrittenColumn, WrittenDefault } from '../../../../src/core/column-alteration.ts';
import { quoteMember } from '../../catalogue/column-type.ts';
import { integerBases } from '../../target/column-kind.ts';
import type { AlterReader } from './alter-reader.ts';
import { type Token, UnreadableStatementError } from './alter-tokens.ts';

/** Classes of types by the words that they are written with: which of the texts and blobs it becomes depends on lengths, charsets and modes. */
const classes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    tinyint: ['TINYINT', 'INT1', 'BOOL', 'BOOLEAN'],
    smallint: ['SMALLINT', 'INT2'],
    mediumint: ['MEDIUMINT', 'INT3', 'MIDDLEINT'],
    int: ['INT', 'INTEGER', 'INT4'],
    bigint: ['BIGINT', 'INT8'],
    decimal: ['DECIMAL', 'DEC', 'NUMERIC', 'FIXED'],
    floating: ['FLOAT', 'FLOAT4', 'FLOAT8', 'DOUBLE', 'REAL'],
    ...Object.fromEntries(
      [
        'bit',
        'year',
        'date',
        'time',
        'datetime',
        'timestamp',
        'enum',
        'set',
        'json',
        'uuid',
        'inet4',
        'inet6',
        'vector',
      ].map((name) => [name, [name.toUpperCase()]]),
    ),
    string: [
      ...[
        'CHAR',
        'CHARACTER',
        'NCHAR',
        'NATIONAL',
        'VARCHAR',
        'VARCHARACTER',
        'NVARCHAR',
        'BINARY',
        'VARBINARY',
        'LONG',
      ],
      ...['TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT', 'TINYBLOB', 'BLOB', 'MEDIUMBLOB', 'LONGBLOB'],
    ],
    geometry: [
      ...['GEOMETRY', 'POINT', 'LINESTRING', 'POLYGON', 'MULTIPOINT', 'MULTILINESTRING', 'MULTIPOLYGON'],
      ...['GEOMETRYCOLLECTION', 'GEOMCOLLECTION'],
    ],
  }).flatMap(([of, words]) => words.map((word): [string, string] => [word, of])),
);

/** Behind the first word of a type. */
const typeWords: ReadonlySet<string> = new Set([
  ...['UNSIGNED', 'SIGNED', 'ZEROFILL', 'PRECISION', 'VARYING', 'BINARY', 'ASCII', 'UNICODE', 'BYTE'],
]);
const nationalWords: ReadonlySet<string> = new Set(['CHAR', 'CHARACTER', 'VARCHAR', 'VARCHARACTER', 'VARBINARY']);

/** What a type's word, as a name of catalogue/column-type.ts begins with it, is a class of. */
export function classOf(base: string): string {
  return classes.get(base.toUpperCase()) ?? base;
}

/** A column's definition behind its name, to the comma or the parenthesis that ends it, or to FIRST or AFTER. */
export function readColumn(reader: AlterReader): WrittenColumn {
  const column = readType(reader);
  readAttributes(reader, column);
  return column;
}

type Reading = { -readonly [K in keyof WrittenColumn]: WrittenColumn[K] };

function readType(reader: AlterReader): Reading {
  const word = reader.keyword();
  const type = classes.get(word);
  const none: WrittenDefault = { kind: 'none' };
  const common = { collation: null, notNull: false, isNull: false, counts: false, default: none };
  if (word === 'SERIAL') {
    reader.next();
    return { ...common, type: 'bigint', spelled: null, obstacle: 'it counts by itself' };
  }
  if (type === undefined) throw new UnreadableStatementError('it has a type that is not known');
  reader.next();
  const further: string[] = [];
  const readWords = (words: ReadonlySet<string>): void => {
    while (words.has(reader.keyword())) further.push(reader.next().text.toUpperCase());
  };
  if (word === 'NATIONAL' || word === 'LONG') readWords(nationalWords);
  readWords(typeWords);
  const inside = reader.parentheses();
  readWords(typeWords);
  return { ...common, type, spelled: spelledType(word, { type, further, inside }), obstacle: null };
}

const sizedTypes: Readonly<Record<string, string>> = {
  ...{ CHAR: 'char', CHARACTER: 'char', VARCHAR: 'varchar', VARCHARACTER: 'varchar' },
  ...{ BINARY: 'binary', VARBINARY: 'varbinary', BIT: 'bit' },
};
const singleSized: ReadonlySet<string> = new Set(['CHAR', 'CHARACTER', 'BINARY', 'BIT']);
const unsizedTypes: ReadonlySet<string> = new Set([
  ...['TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT', 'TINYBLOB', 'BLOB', 'MEDIUMBLOB', 'LONGBLOB'],
  ...['DATE', 'YEAR', 'JSON', 'UUID', 'INET4', 'INET6'],
]);
const plainWords: ReadonlySet<string> = new Set(['UNSIGNED', 'SIGNED', 'ZEROFILL', 'PRECISION']);

/** As catalogue/column-type.ts names it; null where that takes more than the text. */
function spelledType(
  word: string,
  {
    type,
    further,
    inside,
  }: { readonly type: string; readonly further: readonly string[]; readonly inside: readonly Token[] },
): string | null {
  if (!further.every((one) => plainWords.has(one))) return null;
  const sign = further.includes('UNSIGNED') || further.includes('ZEROFILL') ? ' unsigned' : '';
  const sizes = inside.map(({ text }) => text).join('');
  if (integerBases.has(type)) return `${type}${sign}`;
  if (type === 'decimal')
    return `decimal(${sizes === '' ? '10,0' : sizes.includes(',') ? sizes : `${sizes},0`})${sign}`;
  // REAL is one or the other by a mode; of a number of bits, too, it depends.
  if (type === 'floating') {
    if (word === 'REAL' || (sizes !== '' && !sizes.includes(','))) return null;
    return `${word.startsWith('FLOAT') && word !== 'FLOAT8' ? 'float' : 'double'}${sizes === '' ? '' : `(${sizes})`}${sign}`;
  }
  if (type === 'time' || type === 'datetime' || type === 'timestamp')
    return sizes === '' || sizes === '0' ? type : `${type}(${sizes})`;
  if (type === 'enum' || type === 'set') {
    const members = inside.filter(({ kind }) => kind === 'text').map(({ text }) => text.replace(/ +$/, ''));
    return `${type}(${members.map((one) => quoteMember(Buffer.from(one, 'latin1').toString('utf8'))).join(',')})`;
  }
  const sized = sizedTypes[word];
  if (sized !== undefined) return singleSized.has(word) && sizes === '' ? `${sized}(1)` : `${sized}(${sizes})`;
  if (!unsizedTypes.has(word) || (sizes !== '' && word !== 'YEAR')) return null;
  return word.toLowerCase();
}

function readAttributes(reader: AlterReader, column: Reading): void {
  while (!reader.ended && !reader.isSign(',') && !reader.isSign(')')) {
    const word = reader.keyword();
    if (word === 'FIRST' || word === 'AFTER') return;
    // The last one counts.
    if (reader.take('NOT NULL') || reader.take('NULL')) {
      column.notNull = word === 'NOT';
      column.isNull = word === 'NULL';
    } else if (reader.take('DEFAULT')) column.default = readDefault(reader);
    else if (reader.take('AUTO_INCREMENT')) column.counts = true;
    else if (reader.take('UNIQUE')) reader.take('KEY');
    else if (reader.take('PRIMARY KEY') || reader.take('PRIMARY') || reader.take('KEY'))
      column.obstacle = 'it becomes the primary key';
    else if (reader.take('GENERATED ALWAYS AS') || reader.take('AS')) {
      column.obstacle = 'it is generated';
      if (!reader.skipParentheses()) throw new UnreadableStatementError('a column of it belongs to a period');
    } else if (reader.take('CONSTRAINT')) {
      if (reader.keyword() !== 'CHECK') reader.name();
    } else if (!readCharset(reader, column) && !readRest(reader))
      throw new UnreadableStatementError('an attribute of a column in it is not known');
  }
}

/** The collation says more than the charset, which it is of. */
function readCharset(reader: AlterReader, column: Reading): boolean {
  const isCollation = reader.take('COLLATE');
  if (!isCollation && !reader.take('CHARACTER SET') && !reader.take('CHARSET') && !reader.take('CHAR SET'))
    return false;
  reader.takeSign('=');
  const { text } = reader.next();
  if (isCollation || column.collation === null) column.collation = text.toLowerCase();
  return true;
}

/** What says nothing about values. */
function readRest(reader: AlterReader): boolean {
  if (reader.take('COMMENT') || reader.take('ENGINE_ATTRIBUTE') || reader.take('SECONDARY_ENGINE_ATTRIBUTE')) {
    reader.takeSign('=');
    if (reader.next().kind !== 'text')
      throw new UnreadableStatementError('an attribute of a column in it is not known');
  } else if (reader.take('COLUMN_FORMAT') || reader.take('STORAGE') || reader.take('SRID')) reader.next();
  else if (reader.take('COMPRESSED') || reader.take('REF_SYSTEM_ID')) {
    if (reader.takeSign('=')) reader.next();
  } else if (reader.take('ON UPDATE')) {
    reader.next();
    reader.skipParentheses();
  } else if (reader.take('CHECK')) {
    reader.skipParentheses();
    if (!reader.take('NOT ENFORCED')) reader.take('ENFORCED');
  } else if (reader.take('REFERENCES')) readReferences(reader);
  else
    return ['VISIBLE', 'INVISIBLE', 'VIRTUAL', 'STORED', 'PERSISTENT', 'UNSIGNED', 'SIGNED', 'ZEROFILL', 'BINARY'].some(
      (word) => reader.take(word),
    );
  return true;
}

function readReferences(reader: AlterReader): void {
  reader.name();
  if (reader.takeSign('.')) reader.name();
  reader.skipParentheses();
  if (reader.take('MATCH')) reader.next();
  reader.takeActions();
}

function readDefault(reader: AlterReader): WrittenDefault {
  if (reader.skipParentheses()) return { kind: 'other' };
  const sign = reader.takeSign('-') ? '-' : '';
  if (sign === '') reader.takeSign('+');
  const { kind, text } = reader.next();
  if (kind === 'number') return { kind, text: `${sign}${text}` };
  if (sign !== '') throw new UnreadableStatementError('a default in it is not read');
  if (kind === 'text') {
    // Two texts beside one another are one.
    if (reader.peek()?.kind !== 'text') {
      const read = Buffer.from(text, 'latin1').toString('utf8');
      return read.includes('\uFFFD') ? { kind: 'other' } : { kind, text: read };
    }
    while (reader.peek()?.kind === 'text') reader.next();
    return { kind: 'other' };
  }
  if (kind !== 'word') throw new UnreadableStatementError('a default in it is not read');
  switch (text.toUpperCase()) {
    case 'NULL':
      return { kind: 'none' };
    case 'TRUE':
      return { kind: 'number', text: '1' };
    case 'FALSE':
      return { kind: 'number', text: '0' };
    case 'NEXT':
      if (reader.take('VALUE FOR')) readSequence(reader);
      return { kind: 'other' };
    default:
      // A text with its charset in front of it, bits and bytes, a function.
      if (reader.peek()?.kind === 'text') reader.next();
      else reader.skipParentheses();
      return { kind: 'other' };
  }
}

function readSequence(reader: AlterReader): void {
  reader.name();
  if (reader.takeSign('.')) reader.name();
}
