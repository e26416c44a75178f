import { isDeepStrictEqual } from 'node:util';
import type { TableName } from '../../../src/core/table.ts';
import { type QuoteDialect, quotedPattern, statementReadings } from './statement-readings.ts';

/** What a Query event is to whoever reads rows. */
export type Statement =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'release' | 'xaCommit' | 'xaRollback' | 'other' }
  /** Back to a savepoint: what came since is undone. */
  | { readonly kind: 'savepoint' | 'rollbackTo'; readonly name: string }
  /** Rows were changed by a statement that is logged as its text. */
  | { readonly kind: 'rows'; readonly tables: readonly TableName[] | null }
  | { readonly kind: 'truncate'; readonly table: TableName }
  /** Rows come or go, or change, without events of their own. */
  | {
      readonly kind: 'unseen';
      readonly tables: readonly TableName[];
      readonly databases: readonly string[];
      readonly what: string;
    }
  /** A definition has changed, or is there for the first time. */
  | {
      readonly kind: 'definition';
      readonly table: TableName;
      readonly alters: boolean;
      readonly replaces: boolean;
      readonly opens: boolean;
    };

const other: Statement = { kind: 'other' };

export interface StatementPlace {
  /** In which names without one are. */
  readonly database: string;
  readonly dialect: QuoteDialect;
  /** A name as the catalogue has it; it comes as latin1, a character for each byte. `quoted`: it stands between quotes. Throws where that can't be told. */
  decode(name: string, quoted: boolean): string;
}

/**
 * By keywords and names only: what else a statement says is never looked at. Where servers of several versions read it as commands of other tables, or as others,
 * it is one that nobody can tell, of all of these tables. Throws RangeError where not even that is known.
 */
export function readStatement(text: string, place: StatementPlace): Statement {
  const [first = other, ...others] = statementReadings(text, place.dialect).map((reading) => read(reading, place));
  if (others.every((one) => isDeepStrictEqual(one, first))) return first;
  const all = [first, ...others];
  if (all.some(({ kind }) => kind === 'rows')) return { kind: 'rows', tables: null };
  return {
    kind: 'unseen',
    tables: all.flatMap(tablesOf),
    databases: all.flatMap((one) => (one.kind === 'unseen' ? one.databases : [])),
    what: 'a command that only some versions of the server read so',
  };
}

function tablesOf(statement: Statement): readonly TableName[] {
  switch (statement.kind) {
    case 'definition':
    case 'truncate':
      return [statement.table];
    case 'unseen':
      return statement.tables;
    case 'other':
      return [];
    default:
      throw new RangeError('a command that versions of the server read as others');
  }
}

function read(text: string, place: StatementPlace): Statement {
  const words = new Words(text, place);
  const first = words.keyword();
  switch (first) {
    case 'BEGIN':
      return { kind: 'begin' };
    case 'START':
      return { kind: words.keyword() === 'TRANSACTION' ? 'begin' : 'other' };
    case 'COMMIT':
      return { kind: 'commit' };
    case 'ROLLBACK': {
      words.skip('WORK');
      if (!words.skip('TO')) return { kind: 'rollback' };
      words.skip('SAVEPOINT');
      return { kind: 'rollbackTo', name: words.identifier() };
    }
    case 'SAVEPOINT':
      return { kind: 'savepoint', name: words.identifier() };
    case 'RELEASE':
      return { kind: 'release' };
    case 'XA': {
      const verb = words.keyword();
      return verb === 'COMMIT' ? { kind: 'xaCommit' } : verb === 'ROLLBACK' ? { kind: 'xaRollback' } : other;
    }
    case 'INSERT':
    case 'UPDATE':
    case 'REPLACE':
    case 'LOAD':
    case 'WITH':
    case 'SELECT':
    case 'CALL':
    case 'DO':
      return { kind: 'rows', tables: null };
    // As servers log it of a MEMORY table that is empty after a start.
    case 'DELETE':
      return { kind: 'rows', tables: words.keyword() === 'FROM' ? words.onlyName() : null };
    case 'TRUNCATE':
      words.skip('TABLE');
      return { kind: 'truncate', table: words.name() };
    case 'SET':
      // Variables of MariaDB for one statement, which comes behind them.
      if (!words.skip('STATEMENT')) return other;
      return words.skipVariables() ? read(words.rest, place) : { kind: 'rows', tables: null };
    default:
      return readDefinition(words, first);
  }
}

function readDefinition(words: Words, first: string): Statement {
  const replaces = first === 'CREATE' && words.skip('OR');
  const what = replaces ? words.afterReplace() : words.keyword();
  if (first === 'RENAME' && (what === 'TABLE' || what === 'TABLES'))
    return { kind: 'unseen', tables: words.renamed(), databases: [], what: 'RENAME TABLE' };
  // MariaDB replaces a database by one without tables.
  if ((first === 'DROP' || replaces) && (what === 'DATABASE' || what === 'SCHEMA')) {
    words.skip('IF', 'EXISTS');
    const command = replaces ? 'CREATE OR REPLACE DATABASE' : 'DROP DATABASE';
    return { kind: 'unseen', tables: [], databases: [words.entity()], what: command };
  }
  let of = what;
  let ignores = false;
  while (of === 'ONLINE' || of === 'OFFLINE' || of === 'IGNORE') {
    ignores ||= of === 'IGNORE';
    of = words.keyword();
  }
  if (of !== 'TABLE' && of !== 'TABLES') return other;
  words.skip('IF', first === 'CREATE' ? 'NOT' : 'EXISTS');
  if (first === 'CREATE') words.skip('EXISTS');
  if (first === 'DROP') return { kind: 'unseen', tables: words.names(), databases: [], what: 'DROP TABLE' };
  const table = words.name();
  if (first === 'CREATE')
    return { kind: 'definition', table, alters: false, replaces, opens: /\bSTART\s+TRANSACTION\s*$/i.test(words.rest) };
  if (first !== 'ALTER') return other;
  // A unique key that is made so takes rows away.
  if (ignores) return { kind: 'unseen', tables: [table], databases: [], what: 'ALTER IGNORE TABLE' };
  const partition = /\b(TRUNCATE|DROP|EXCHANGE|DISCARD|IMPORT|CONVERT)\s+(PARTITION|TABLESPACE|TABLE)\b/i.exec(
    words.bare(),
  );
  if (partition !== null)
    return {
      kind: 'unseen',
      tables: [table, ...words.otherTable()],
      databases: [],
      what: `ALTER TABLE ... ${partition[0].toUpperCase().replace(/\s+/g, ' ')}`,
    };
  const renamed = words.renamedTo();
  if (renamed !== null)
    return { kind: 'unseen', tables: [table, renamed], databases: [], what: 'ALTER TABLE ... RENAME' };
  return { kind: 'definition', table, alters: true, replaces: false, opens: false };
}

/** Behind a word: a name that only begins with it is another one. */
const end = '(?![\\w$\\x80-\\uffff])';
/** RENAME, with which a list of changes may go on; MariaDB says in front of them how long to wait. */
const renaming = new RegExp(
  `(?:^|,|^\\s*(?:NOWAIT|WAIT\\s+\\d+)\\s)\\s*RENAME${end}(?!\\s*(?:COLUMN|INDEX|KEY|CONSTRAINT)${end})\\s*(?:(?:(?:TO|AS)${end}|=)\\s*)?`,
  'i',
);

/** Reads a statement without comments from its beginning. */
class Words {
  rest: string;
  readonly #place: StatementPlace;

  constructor(text: string, place: StatementPlace) {
    this.rest = text;
    this.#place = place;
  }

  #skipBlanks(): void {
    this.rest = this.rest.replace(/^[\s\0]+/, '');
  }

  /** A whole word: the beginning of a name (TRUNCATE table1) is none. */
  keyword(): string {
    this.#skipBlanks();
    const word = /^[a-z_][\w$\x80-\uffff]*/i.exec(this.rest)?.[0] ?? '';
    this.rest = this.rest.slice(word.length);
    return word.toUpperCase();
  }

  /** All of the words where they come next. */
  skip(...wanted: readonly string[]): boolean {
    const before = this.rest;
    if (wanted.every((word) => this.keyword() === word)) return true;
    this.rest = before;
    return false;
  }

  /** Up to behind the FOR that ends SET STATEMENT; false where there is none. */
  skipVariables(): boolean {
    const part = new RegExp(`${quotedPattern(this.#place.dialect)}|[\\w$@\\x80-\\xff]+|[\\s\\S]`, 'g');
    let depth = 0;
    for (const { 0: found, index } of this.rest.matchAll(part)) {
      if (found === '(') depth++;
      else if (found === ')') depth--;
      else if (depth === 0 && found.toUpperCase() === 'FOR') {
        this.rest = this.rest.slice(index + found.length);
        return true;
      }
    }
    return false;
  }

  /** CREATE OR REPLACE TABLE */
  afterReplace(): string {
    this.skip('REPLACE');
    return this.keyword();
  }

  /** Of a database or a table. */
  entity(): string {
    this.#skipBlanks();
    const quoted = /^[`"]/.test(this.rest);
    return this.#place.decode(this.identifier(), quoted);
  }

  /** As its bytes are, which is enough to tell it from others. */
  identifier(): string {
    this.#skipBlanks();
    const match = /^(?:`((?:[^`]|``)*)`|"((?:[^"]|"")*)"|([\w$\u0080-\uffff]+))/.exec(this.rest);
    if (match === null) return '';
    this.rest = this.rest.slice(match[0].length);
    return match[1]?.replaceAll('``', '`') ?? match[2]?.replaceAll('""', '"') ?? match[3] ?? '';
  }

  name(): TableName {
    const first = this.entity();
    this.#skipBlanks();
    if (!this.rest.startsWith('.')) return { schema: this.#place.database, name: first };
    this.rest = this.rest.slice(1);
    return { schema: first === '' ? this.#place.database : first, name: this.entity() };
  }

  names(): TableName[] {
    const found = [this.name()];
    for (this.#skipBlanks(); this.rest.startsWith(','); this.#skipBlanks()) {
      this.rest = this.rest.slice(1);
      found.push(this.name());
    }
    return found;
  }

  /** One name and nothing behind it. */
  onlyName(): readonly TableName[] | null {
    const table = this.name();
    this.#skipBlanks();
    return /^;?\s*$/.test(this.rest) ? [table] : null;
  }

  /** Old and new names. */
  renamed(): TableName[] {
    this.skip('IF', 'EXISTS');
    const found: TableName[] = [];
    for (;;) {
      found.push(this.name());
      if (this.skip('WAIT') || this.skip('NOWAIT')) this.rest = this.rest.replace(/^\s*\d+/, '');
      if (!this.skip('TO')) return found;
      found.push(this.name());
      this.#skipBlanks();
      if (!this.rest.startsWith(',')) return found;
      this.rest = this.rest.slice(1);
    }
  }

  /** EXCHANGE PARTITION ... WITH TABLE name, CONVERT TABLE name TO PARTITION, CONVERT PARTITION ... TO TABLE name: its rows go or come, too. */
  otherTable(): TableName[] {
    return this.#moveBehind(/\b(?:WITH|CONVERT|TO)\s+TABLE\s*/i) ? [this.name()] : [];
  }

  /** To behind what matches outside of quotes; false where nothing does. */
  #moveBehind(pattern: RegExp): boolean {
    const at = pattern.exec(this.bare());
    if (at === null) return false;
    this.rest = this.rest.slice(at.index + at[0].length);
    return true;
  }

  /** With blanks for what stands in quotes. */
  bare(): string {
    const quoted = new RegExp(quotedPattern(this.#place.dialect), 'g');
    return this.rest.replaceAll(quoted, (part) => `'${' '.repeat(part.length - 2)}'`);
  }

  /** ALTER TABLE ... RENAME [TO|AS] name, but not of a column, an index or a key. */
  renamedTo(): TableName | null {
    return this.#moveBehind(renaming) ? this.name() : null;
  }
}
