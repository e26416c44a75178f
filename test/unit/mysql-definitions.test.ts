import { describe, expect, test } from 'vitest';
import { existingValue } from '../../connectors/mysql/source/definitions/existing-value.ts';
import { follow } from '../../connectors/mysql/source/definitions/follow.ts';
import { readAlter } from '../../connectors/mysql/source/definitions/read-alter.ts';
import type { ToldCommand } from '../../src/core/column-alteration.ts';
import type { Column } from '../../src/core/table.ts';
import type { TableDefinition } from '../../src/core/table-facts.ts';

interface Settings {
  readonly mariadb?: boolean;
  readonly ansiQuotes?: boolean;
  readonly noBackslashEscapes?: boolean;
  readonly emptyIsNull?: boolean;
  readonly padsCharacters?: boolean;
  readonly charsets?: readonly string[];
  readonly table?: string;
  readonly logsCascades?: boolean;
}

function read(text: string, settings: Settings = {}): ToldCommand {
  const {
    mariadb = false,
    ansiQuotes = false,
    noBackslashEscapes = false,
    emptyIsNull = false,
    padsCharacters = false,
    charsets = ['utf8mb4', 'utf8mb4'],
    table = 't',
    logsCascades = true,
  } = settings;
  const dialect = { mariadb, ansiQuotes, noBackslashEscapes, emptyIsNull, padsCharacters };
  const latin1 = Buffer.from(text, 'utf8').toString('latin1');
  return readAlter({ schema: 'd', name: table }, { text: latin1, database: 'd', charsets, dialect, logsCascades });
}

/** One word for each part: what is added has its class, its default and what is special of it behind it. */
function said(text: string, settings?: Settings): string {
  return read(text, settings)
    .map((part) => {
      if (part.kind === 'refused') return 'refused';
      const optional = part.optional ? '?' : '';
      if (part.kind === 'drop') return `-${part.name}${optional}`;
      if (part.kind === 'rename') return `${part.name}>${part.to}${optional}`;
      const { column } = part;
      const value = column.default.kind === 'none' ? '' : `=${'text' in column.default ? column.default.text : '?'}`;
      const marks = `${column.notNull ? '!' : ''}${column.counts ? '#' : ''}${column.obstacle === null ? '' : '*'}`;
      const name =
        part.kind === 'add' ? `+${part.name}` : part.name === part.to ? `~${part.name}` : `~${part.name}>${part.to}`;
      return `${name}${optional}:${column.type}${value}${marks}`;
    })
    .join(' ');
}

describe('an ALTER TABLE is read word for word', () => {
  test.each([
    ['ALTER TABLE t ADD COLUMN c INT', '+c:int'],
    ["alter table `d`.`t` add c int(11) unsigned not null default 5 comment 'it''s, (a) \"c\"' after `b`", '+c:int=5!'],
    [
      "ALTER TABLE d . t ADD c VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_bin NULL DEFAULT 'a\\'b,' FIRST;",
      "+c:string=a'b,",
    ],
    [
      "ALTER TABLE t ADD c DECIMAL(10,2) NOT NULL DEFAULT -1.50, ADD COLUMN d ENUM('x','y)') DEFAULT 'x'",
      '+c:decimal=-1.50! +d:enum=x',
    ],
    ['ALTER TABLE t ADD (c INT, INDEX i (c), d DATETIME(3) DEFAULT NULL), DROP e', '+c:int +d:datetime -e'],
    [
      'ALTER TABLE t DROP COLUMN a, DROP b RESTRICT, DROP INDEX i, DROP FOREIGN KEY f, DROP CHECK k, DROP CONSTRAINT z',
      '-a -b',
    ],
    ['ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a, RENAME INDEX i TO j', 'a>b b>a'],
    [
      'ALTER TABLE t MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, CHANGE COLUMN a b TEXT',
      '~id:bigint!# ~a>b:string',
    ],
    [
      'ALTER TABLE t ADD c INT AS (a * 2) STORED, ADD d INT GENERATED ALWAYS AS (b) VIRTUAL NOT NULL',
      '+c:int* +d:int!*',
    ],
    ['ALTER TABLE t ADD c TIMESTAMP DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)', '+c:timestamp=?'],
    [
      "ALTER TABLE t ADD c JSON DEFAULT (JSON_OBJECT('a', 1)), ADD d CHAR(36) DEFAULT (uuid())",
      '+c:json=? +d:string=?',
    ],
    [
      "ALTER TABLE t ADD c VARCHAR(9) DEFAULT _latin1'x', ADD d BIT(4) DEFAULT b'101', ADD e INT DEFAULT 0x1F",
      '+c:string=? +d:bit=? +e:int=?',
    ],
    ["ALTER TABLE t ADD c VARCHAR(9) DEFAULT 'a' 'b'", '+c:string=?'],
    [
      'ALTER TABLE t ADD c BOOL DEFAULT TRUE, ADD d DOUBLE PRECISION, ADD e NATIONAL VARCHAR(3), ADD f LONG VARBINARY',
      '+c:tinyint=1 +d:floating +e:string +f:string',
    ],
    [
      'ALTER TABLE t ADD c INT REFERENCES other (id) ON DELETE SET NULL ON UPDATE CASCADE UNIQUE KEY CHECK (c > 0)',
      '+c:int',
    ],
    ['ALTER TABLE t ADD c INT PRIMARY KEY', '+c:int*'],
    ['ALTER TABLE t ADD c INT KEY, ADD d SERIAL', '+c:int* +d:bigint*'],
    [
      'ALTER TABLE t ADD UNIQUE KEY u (a, b), ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o (id), ADD CONSTRAINT CHECK (a > 1), ADD FULLTEXT INDEX (x)',
      '',
    ],
    ['ALTER TABLE t ALTER a SET DEFAULT (now()), ALTER INDEX i INVISIBLE, ALTER COLUMN b DROP DEFAULT', ''],
    ["ALTER TABLE t ENGINE=InnoDB ROW_FORMAT=DYNAMIC, COMMENT='DROP COLUMN a', ALGORITHM=INPLACE, LOCK=NONE", ''],
    ['ALTER TABLE t DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, AUTO_INCREMENT = 7, FORCE', ''],
    ['ALTER TABLE t ORDER BY a, b', ''],
    [
      'ALTER TABLE t REORGANIZE PARTITION p0 INTO (PARTITION a VALUES LESS THAN (1), PARTITION b VALUES LESS THAN (2))',
      '',
    ],
    ['ALTER TABLE t ADD PARTITION (PARTITION p3 VALUES LESS THAN (30))', ''],
    // Comments of every kind.
    ['/* hello */ ALTER -- x\n TABLE # y\n t /*+ hint */ ADD /* , DROP a */ c INT', '+c:int'],
    ['/*!40000 ALTER TABLE `t` DISABLE KEYS */', ''],
    ['ALTER TABLE t /*! ADD c INT */ /*!50600 , DROP a */', '+c:int -a'],
    ['ALTER TABLE t ADD c INT /*!80000 , DROP a */', 'refused'],
    ['ALTER TABLE t ADD c INT /*!99999 INVISIBLE */', 'refused'],
    ['ALTER TABLE t ADD c INT /*M! , DROP a */', '+c:int'],
    // What is not known, and what changes rows or keys.
    ['ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4', 'refused'],
    ['ALTER TABLE t ADD c INT, CONVERT TO CHARACTER SET utf8mb4', 'refused'],
    ['ALTER TABLE t ENGINE = BLACKHOLE', 'refused'],
    ['ALTER TABLE t ROW_FORMAT=DYNAMIC ENGINE=MEMORY', 'refused'],
    ['ALTER TABLE t ENGINE=MyISAM', 'refused'],
    ["ALTER TABLE t COMMENT='x' WITH SYSTEM VERSIONING", 'refused'],
    ['ALTER TABLE t ADD PRIMARY KEY (a)', 'refused'],
    ['ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a)', 'refused'],
    ['ALTER TABLE t DROP PRIMARY KEY', 'refused'],
    ['ALTER TABLE t DROP INDEX `PRIMARY`', 'refused'],
    ['ALTER TABLE t RENAME TO u', 'refused'],
    ['ALTER TABLE t RENAME u', 'refused'],
    ['ALTER TABLE t DROP PARTITION p', 'refused'],
    ['ALTER TABLE t DISCARD TABLESPACE', 'refused'],
    ['ALTER TABLE t ADD c MONEY', 'refused'],
    ['ALTER TABLE t ADD c INT SOMETHING', 'refused'],
    ["ALTER TABLE t ADD c VARCHAR(3) DEFAULT 'a", 'refused'],
    ['ALTER TABLE t ADD c INT; DROP TABLE t', 'refused'],
    ['ALTER TABLE u ADD c INT', 'refused'],
    ['ALTER TABLE t ADD c INT,', '+c:int'],
    ['CREATE TABLE t (a INT)', 'refused'],
    ['ALTER TABLE t ADD', 'refused'],
    ['ALTER TABLE t ADD (c INT', 'refused'],
    ['ALTER TABLE t DROP', 'refused'],
    ['ALTER TABLE t ADD c INT /* no end', 'refused'],
    ['', 'refused'],
  ])('%s', (text, expected) => {
    expect(said(text)).toBe(expected);
  });

  test.each([
    ['ALTER TABLE IF EXISTS t WAIT 5 ADD COLUMN IF NOT EXISTS c UUID, DROP COLUMN IF EXISTS a', '+c?:uuid -a?'],
    ['ALTER ONLINE TABLE t NOWAIT CHANGE COLUMN IF EXISTS a b INT, RENAME COLUMN IF EXISTS c TO d', '~a>b?:int c>d?'],
    ['ALTER TABLE t ADD c INT /*M!100100 NOT NULL */', '+c:int!'],
    ['ALTER TABLE t ADD c INT /*M!110000 NOT NULL */', 'refused'],
    ["ALTER TABLE t ADD c VARCHAR(9) COMPRESSED=zlib DEFAULT 'x', ADD d INET6", '+c:string=x +d:inet6'],
    ['ALTER OFFLINE ONLINE TABLE t DROP a', '-a'],
    ['SET STATEMENT lock_wait_timeout=5, max_statement_time = 0.5 FOR ALTER TABLE t DROP a', '-a'],
    ["SET STATEMENT sql_mode='' FOR ALTER TABLE t DROP a", 'refused'],
    ['SET STATEMENT lock_wait_timeout=5+1 FOR ALTER TABLE t DROP a', 'refused'],
    ['ALTER TABLE t ADD SYSTEM VERSIONING', 'refused'],
    ['ALTER TABLE t ADD VECTOR INDEX (v)', ''],
  ])('of MariaDB: %s', (text, expected) => {
    expect(said(text, { mariadb: true })).toBe(expected);
  });

  test.each([
    ['ADD CONSTRAINT f FOREIGN KEY g (a) REFERENCES d.o (id) MATCH FULL ON DELETE CASCADE, ADD b INT', 'refused'],
    ['ADD FOREIGN KEY (a) REFERENCES o (id) ON DELETE RESTRICT ON UPDATE SET NULL', 'refused'],
    ['ADD FOREIGN KEY (a) REFERENCES o (id) ON UPDATE SET DEFAULT', 'refused'],
    ['ADD (a INT, FOREIGN KEY (a) REFERENCES o (id) ON DELETE CASCADE)', 'refused'],
    ['ADD a INT REFERENCES o (id) ON DELETE CASCADE', 'refused'],
    ['ADD FOREIGN KEY (a) REFERENCES o (id) ON DELETE RESTRICT ON UPDATE NO ACTION, ADD b INT', '+b:int'],
    ['ADD b DATETIME DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP', '+b:datetime'],
  ])('where what a foreign key does below a row is not logged: %s', (written, expected) => {
    expect(said(`ALTER TABLE t ${written}`, { logsCascades: false })).toBe(expected);
    expect(said(`ALTER TABLE t ${written}`)).not.toBe('refused');
  });

  test('names and texts are read as the session has meant them', () => {
    expect(said('ALTER TABLE "t" ADD "c ""d" INT', { ansiQuotes: true })).toBe('+c "d:int');
    expect(said('ALTER TABLE t ADD c VARCHAR(9) DEFAULT "x"')).toBe('+c:string=x');
    expect(said('ALTER TABLE t ADD c VARCHAR(9) DEFAULT "x"', { ansiQuotes: true })).toBe('refused');
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT '\\\\', DROP a")).toBe('+c:string=\\ -a');
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT '\\', DROP a", { noBackslashEscapes: true })).toBe(
      '+c:string=\\ -a',
    );
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT '5\\% a\\_b \\x'")).toBe('+c:string=5\\% a\\_b x');
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT ''", { mariadb: true })).toBe('+c:string=');
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT ''", { mariadb: true, emptyIsNull: true })).toBe('refused');
    expect(said('ALTER TABLE t MODIFY c VARCHAR(9), ADD d INT', { padsCharacters: true })).toBe('refused');
    expect(said('ALTER TABLE t MODIFY c INT, ADD d CHAR(9)', { padsCharacters: true })).toBe('~c:int +d:string');
    expect(said("ALTER TABLE t ADD `grö``ße` VARCHAR(9) DEFAULT 'ü'")).toBe('+grö`ße:string=ü');
    expect(said('ALTER TABLE größe ADD größer INT', { table: 'größe' })).toBe('+größer:int');
    expect(said('ALTER TABLE t ADD größer INT', { charsets: ['latin1', 'latin1'] })).toBe('refused');
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT '☃'", { charsets: ['utf8mb4', 'latin1'] })).toBe('refused');
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT 'x'", { charsets: ['utf8mb4', 'latin1'] })).toBe('+c:string=x');
    expect(said('ALTER TABLE t ADD größer INT', { charsets: [] })).toBe('refused');
    // Its brackets are letters.
    expect(said("ALTER TABLE t ADD c VARCHAR(9) DEFAULT '['", { charsets: ['swe7', 'utf8mb4'] })).toBe('refused');
    expect(said('ALTER TABLE t ADD c INT', { charsets: ['utf8mb4', 'swe7'] })).toBe('refused');
    // Of another number of digits they are part of the statement.
    expect(said('ALTER TABLE t ADD c INT DEFAULT /*!7 */ NULL')).toBe('refused');
    expect(said('ALTER TABLE t ADD c INT /*!0500001 NOT */ NULL')).toBe('refused');
    expect(said('ALTER TABLE t ADD c INT', { charsets: [] })).toBe('+c:int');
  });
});

test.each([
  ['INT', 'int', null],
  ['INT NOT NULL', 'int', '0'],
  ['INT NOT NULL NULL', 'int', null],
  ['INT NULL NOT NULL', 'int', '0'],
  ["INT DEFAULT '5'", 'int', '5'],
  ['INT DEFAULT 05', 'int', undefined],
  ['INT DEFAULT 1.5', 'int', undefined],
  ['TINYINT(1) DEFAULT FALSE', 'tinyint', '0'],
  ['INT AUTO_INCREMENT UNIQUE', 'int', undefined],
  ['DECIMAL(8,3) DEFAULT -1.5', 'decimal(8,3)', '-1.500'],
  ['DECIMAL(8,3) DEFAULT -0', 'decimal(8,3)', '0.000'],
  ['DECIMAL(8,1) DEFAULT 1.55', 'decimal(8,1)', undefined],
  ['DECIMAL(8,2) NOT NULL', 'decimal(8,2)', '0.00'],
  ['DOUBLE DEFAULT 0.1', 'double', '0.1'],
  ['FLOAT DEFAULT 0.1', 'float', undefined],
  ['FLOAT DEFAULT 0.5', 'float', '0.5'],
  ['DOUBLE(5,2) DEFAULT 0.5', 'double(5,2)', undefined],
  ["CHAR(9) DEFAULT 'a '", 'char(9) collate utf8mb4_bin', 'a'],
  ["VARCHAR(9) DEFAULT 'a '", 'varchar(9) collate utf8mb4_bin', 'a '],
  ['VARCHAR(9) DEFAULT 5', 'varchar(9) collate utf8mb4_bin', undefined],
  ['TEXT NOT NULL', 'text collate utf8mb4_bin', ''],
  ["VARBINARY(9) DEFAULT 'a'", 'varbinary(9)', undefined],
  ["ENUM('a','b''c') NOT NULL", "enum('a','b''c') collate utf8mb4_bin", 'a'],
  ["ENUM('a','b''c') DEFAULT 'b''c'", "enum('a','b''c') collate utf8mb4_bin", "b'c"],
  ["ENUM('a','b') DEFAULT 'B'", "enum('a','b') collate utf8mb4_general_ci", undefined],
  ["SET('a','b') DEFAULT 'b,a'", "set('a','b') collate utf8mb4_bin", undefined],
  ["DATE DEFAULT '2024-02-29'", 'date', '2024-02-29'],
  ["DATE DEFAULT '2023-02-29'", 'date', undefined],
  ["DATE DEFAULT '0000-00-00'", 'date', undefined],
  ["DATETIME(3) DEFAULT '2024-01-02 03:04:05.1'", 'datetime(3)', '2024-01-02 03:04:05.100'],
  ["DATETIME DEFAULT '2024-01-02 03:04:05.6'", 'datetime', undefined],
  ["DATETIME DEFAULT '2024-1-2'", 'datetime', undefined],
  ["TIME DEFAULT '12:00:00'", 'time', '12:00:00'],
  ['TIMESTAMP', 'timestamp', undefined],
  ['TIMESTAMP NULL', 'timestamp', null],
  ["TIMESTAMP DEFAULT '2024-01-02 03:04:05'", 'timestamp', undefined],
  ['DATETIME DEFAULT CURRENT_TIMESTAMP', 'datetime', undefined],
  ['DATETIME NOT NULL', 'datetime', undefined],
  ['YEAR DEFAULT 2024', 'year', '2024'],
  ['JSON', 'json', null],
  ['JSON NOT NULL', 'json', undefined],
])('the rows that were there have of ADD c %s, which is %s: %s', (written, type, expected) => {
  const [part] = read(`ALTER TABLE t ADD c ${written}`);
  if (part?.kind !== 'add') throw new Error('it was refused');
  expect(existingValue(part.column, type)).toBe(expected);
});

const column = (name: string, type = 'int', key = false): Column => ({ name, type, modifier: -1, key });

function definition(columns: readonly Column[], stamps: Readonly<Record<string, string>> = {}): TableDefinition {
  const numbered = columns.map((one, at) => ({ ...one, id: at + 1, stamp: stamps[one.name] ?? '["",true,""]' }));
  const common = { schema: 'd', name: 't', id: 'd.t', identity: 'full', storage: {}, gone: [], ignored: [] } as const;
  return { ...common, columns: numbered, generated: [], lastColumn: columns.length };
}

const before = definition([column('id', 'int', true), column('a'), column('b', 'varchar(5) collate utf8mb4_bin')], {
  id: '["",false,"","auto_increment"]',
});
const text = (size: number): string => `varchar(${size}) collate utf8mb4_bin`;

function followed(statements: readonly string[], columns: readonly Column[], from = before, excluded: string[] = []) {
  const announced = { schema: 'd', name: 't', identity: 'full', columns } as const;
  const told = statements.map((statement) => read(statement));
  return follow(from, { told, announced, isCatalogue: false, excluded: new Set(excluded) });
}

/** `name` and its id, of columns that can be followed; else why not. */
function outcome(...given: Parameters<typeof followed>): string {
  const { definition: after, unproven, existing } = followed(...given);
  if (unproven !== null) return unproven;
  const value = (id: number): string => (existing.has(id) ? `=${existing.get(id)}` : '');
  return (after?.columns ?? []).map(({ name, id }) => `${name}${id}${value(id)}`).join(' ');
}

describe('what is told is followed where rows come by it', () => {
  const [id, a, b] = before.columns as unknown as readonly [Column, Column, Column];
  test.each<[string, readonly string[], readonly Column[], string, TableDefinition?]>([
    ['nothing', [], [id, a, b], 'id1 a2 b3'],
    [
      'a column that is added',
      ['ALTER TABLE t ADD c INT DEFAULT 5 AFTER a'],
      [id, a, column('c'), b],
      'id1 a2 c4=5 b3',
    ],
    ['one that is dropped', ['ALTER TABLE t DROP A'], [id, b], 'id1 b3'],
    ['a rename', ['ALTER TABLE t RENAME COLUMN a TO c'], [id, column('c'), b], 'id1 c2 b3'],
    [
      'a trade of names',
      ['ALTER TABLE t CHANGE a b VARCHAR(5), CHANGE b a INT'],
      [id, column('a'), b],
      'a was varchar(5) collate utf8mb4_bin and is int',
    ],
    ['drop and add of one name', ['ALTER TABLE t DROP a, ADD a INT'], [id, b, column('a')], 'id1 b3 a4=null'],
    [
      'the same in two commands',
      ['ALTER TABLE t DROP a', 'ALTER TABLE t ADD a INT NOT NULL'],
      [id, column('a'), b],
      'id1 a4=0 b3',
    ],
    ['one that came and went', ['ALTER TABLE t ADD c INT', 'ALTER TABLE t DROP c'], [id, a, b], 'id1 a2 b3'],
    [
      'a wider type',
      ['ALTER TABLE t MODIFY a BIGINT, MODIFY b VARCHAR(9)'],
      [id, column('a', 'bigint'), column('b', text(9))],
      'id1 a2 b3',
    ],
    [
      'a wider key that counts',
      ['ALTER TABLE t MODIFY id BIGINT NOT NULL AUTO_INCREMENT'],
      [column('id', 'bigint', true), a, b],
      'id1 a2 b3',
    ],
    ['IF NOT EXISTS', ['ALTER TABLE t ADD IF NOT EXISTS a INT, DROP IF EXISTS z'], [id, a, b], 'id1 a2 b3'],
    // What halts.
    [
      'a narrower type',
      ['ALTER TABLE t MODIFY a SMALLINT'],
      [id, column('a', 'smallint'), b],
      'does not hold every value',
    ],
    [
      'another sign',
      ['ALTER TABLE t MODIFY a INT UNSIGNED'],
      [id, column('a', 'int unsigned'), b],
      'does not hold every value',
    ],
    [
      'members that differ in their case only',
      ["ALTER TABLE t MODIFY e ENUM('X','x')"],
      [id, column('e', "enum('X','x') collate utf8mb4_general_ci")],
      'same but for their case',
      definition([id, column('e', "enum('x') collate utf8mb4_general_ci")]),
    ],
    ['NOT NULL', ['ALTER TABLE t MODIFY a INT NOT NULL'], [id, a, b], 'made NOT NULL'],
    ['numbers', ['ALTER TABLE t MODIFY a INT AUTO_INCREMENT UNIQUE'], [id, a, b], 'count by itself'],
    [
      'a default that is computed',
      ['ALTER TABLE t ADD c DATETIME DEFAULT NOW()'],
      [id, a, b, column('c', 'datetime')],
      'not told by a constant',
    ],
    ['a generated column', ['ALTER TABLE t ADD c INT AS (a)'], [id, a, b, column('c')], 'it is generated'],
    [
      'a column that is not told of',
      ['ALTER TABLE t ADD c INT'],
      [id, a, b, column('c'), column('d')],
      'column d is there',
    ],
    ['a column that should be there', ['ALTER TABLE t ADD c INT'], [id, a, b], 'column c is not there'],
    ['a change without a command', [], [id, column('a', 'bigint'), b], 'is of type bigint'],
    ['another type than was said', ['ALTER TABLE t ADD c INT'], [id, a, b, column('c', 'bigint')], 'is of type bigint'],
    ['another key', [], [column('id'), column('a', 'int', true), b], 'part of the key'],
    ['a column that is not known', ['ALTER TABLE t DROP z'], [id, a, b], 'is not known'],
    ['what can not be read', ['ALTER TABLE t CONVERT TO CHARACTER SET latin1'], [id, a, b], 'CONVERT is not one'],
  ])('%s', (_, statements, columns, expected, from = before) => {
    expect(outcome(statements, columns, from)).toContain(expected);
  });

  test.each([
    ['TIMESTAMP(3)', 'made NOT NULL'],
    ['TIMESTAMP(3) NULL', 'id1 a2'],
    ['TIMESTAMP(3) NOT NULL NULL', 'id1 a2'],
  ])('a moment that may be NULL, and is written as %s', (written, expected) => {
    const from = definition([id, column('a', 'timestamp')]);
    const after = [id, column('a', 'timestamp(3)')];
    expect(outcome([`ALTER TABLE t MODIFY a ${written}`], after, from)).toContain(expected);
  });

  test('a column that does not travel may become anything', () => {
    const after = [id, column('a', 'smallint'), b];
    expect(outcome(['ALTER TABLE t MODIFY a SMALLINT NOT NULL'], after, before, ['a'])).toBe('id1 a2 b3');
  });

  test.each<[string, string, readonly Column[], string]>([
    ['one that did not travel and begins to', 'RENAME COLUMN a TO c', [id, column('c'), b], 'what its rows have'],
    [
      'a trade with one that travels',
      'RENAME COLUMN a TO b, RENAME COLUMN b TO a',
      [id, column('b'), column('a', text(5))],
      'what its rows have',
    ],
    ['one that does not travel any more', 'DROP a, RENAME COLUMN b TO a', [id, column('a', text(5))], 'id1 a3'],
    [
      'one that is added where one that did not travel was',
      'DROP a, ADD c INT',
      [id, b, column('c')],
      'id1 b3 c4=null',
    ],
  ])('of columns that do not travel: %s', (_, written, columns, expected) => {
    expect(outcome([`ALTER TABLE t ${written}`], columns, before, ['a'])).toContain(expected);
  });

  test('at a command the catalogue proves it, or what comes behind it will', () => {
    const at = (columns: readonly Column[], ...statements: string[]) =>
      follow(before, {
        told: statements.map((statement) => read(statement)),
        announced: { schema: 'd', name: 't', identity: 'full', columns },
        isCatalogue: true,
        excluded: new Set(),
      });
    const add = 'ALTER TABLE t ADD c INT';
    expect(at([id, a, b, column('c')], add)).toMatchObject({ waits: false, changed: true, unproven: null });
    expect(at([id, a, b, column('d')], add)).toMatchObject({ waits: true, definition: null, unproven: null });
    expect(at([id, a, b, column('d')], add, 'ALTER TABLE t RENAME COLUMN c TO d')).toMatchObject({
      waits: false,
      changed: true,
    });
    expect(at([id, b], 'ALTER TABLE t ADD INDEX (a)')).toMatchObject({ waits: false, changed: false, unproven: null });
  });

  test.each([
    ['decimal(10,4)', 'DECIMAL(10,2)', 'decimal(10,4)', 'waits'],
    ['decimal(10,4)', 'DECIMAL(12 , 4) UNSIGNED', 'decimal(12,4)', 'waits'],
    ['decimal(10,4)', 'DECIMAL(12,4)', 'decimal(12,4)', 'done'],
    ['decimal(8,0)', 'DECIMAL', 'decimal(10,0)', 'done'],
    ['decimal(8,0)', 'NUMERIC(10)', 'decimal(10,0)', 'done'],
    ['datetime(6)', 'DATETIME', 'datetime(6)', 'waits'],
    ['datetime', 'DATETIME(6)', 'datetime(6)', 'done'],
    ['double', 'FLOAT', 'double', 'waits'],
    ['double', 'REAL', 'double', 'waits'],
    ['double', 'DOUBLE PRECISION', 'double', 'done'],
    ['int', 'INT UNSIGNED', 'int', 'waits'],
    ['int', 'BIGINT(20) NOT NULL DEFAULT 5', 'bigint', 'halts'],
    ['tinyint', 'BOOL', 'tinyint', 'done'],
    [text(5), 'CHAR(5)', text(5), 'waits'],
    [text(5), 'VARCHAR(20)', text(40), 'waits'],
    [text(5), 'VARCHAR(20)', text(20), 'waits'],
    [text(5), 'VARCHAR(20)', 'varchar(20) collate latin1_bin', 'halts'],
    [text(5), 'VARCHAR(20) CHARACTER SET latin1', text(20), 'waits'],
    [text(5), 'VARCHAR(20) CHARACTER SET utf8mb4', text(20), 'done'],
    [text(5), 'VARCHAR(20) CHARSET utf8mb4 COLLATE utf8mb4_general_ci', text(20), 'waits'],
    [text(5), 'NATIONAL VARCHAR(20)', text(20), 'waits'],
    ['binary(1)', 'BINARY', 'binary(1)', 'done'],
    ['blob', 'TINYBLOB', 'blob', 'waits'],
    ['bit(4)', 'BIT', 'bit(4)', 'waits'],
    ["enum('x') collate utf8mb4_bin", "ENUM('y')", "enum('x') collate utf8mb4_bin", 'waits'],
    ["enum('x') collate utf8mb4_bin", "ENUM('x','it''s ')", "enum('x','it''s') collate utf8mb4_bin", 'waits'],
    [
      "enum('x') collate utf8mb4_bin",
      "ENUM('x','it''s ') CHARSET utf8mb4",
      "enum('x','it''s') collate utf8mb4_bin",
      'done',
    ],
    ['json', 'JSON', 'json', 'done'],
  ])('of a catalogue that may be further, %s written as %s and found as %s: %s', (was, written, found, expected) => {
    const told = [read(`ALTER TABLE t MODIFY a ${written}`)];
    const announced = { schema: 'd', name: 't', identity: 'full', columns: [id, column('a', found)] } as const;
    const options = { told, announced, isCatalogue: true, excluded: new Set<string>() };
    const from = definition([id, column('a', was)]);
    const { waits, unproven } = follow(from, options);
    expect(waits ? 'waits' : unproven === null ? 'done' : 'halts').toBe(expected);
    expect(follow(from, { ...options, excluded: new Set(['a']) })).toMatchObject({ waits: false, unproven: null });
  });

  test('a column that is added waits, too, where the catalogue has another size of it', () => {
    const at = (type: string) =>
      follow(before, {
        told: [read('ALTER TABLE t ADD c VARCHAR(20)')],
        announced: { schema: 'd', name: 't', identity: 'full', columns: [id, a, b, column('c', type)] },
        isCatalogue: true,
        excluded: new Set(),
      }).waits;
    expect(at(text(20))).toBe(false);
    expect(at(text(40))).toBe(true);
  });
});
