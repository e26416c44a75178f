import type { TableName } from '../../../src/core/table.ts';

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

/** By keywords and names only: what else a statement says is never looked at. */
export function readStatement(text: string, database: string): Statement {
  const words = new Words(text, database);
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
      return words.skipVariables() ? readStatement(words.rest, database) : { kind: 'rows', tables: null };
    default:
      return readDefinition(words, first);
  }
}

function readDefinition(words: Words, first: string): Statement {
  const replaces = first === 'CREATE' && words.skip('OR');
  const what = replaces ? words.afterReplace() : words.keyword();
  if (first === 'RENAME' && (what === 'TABLE' || what === 'TABLES'))
    return { kind: 'unseen', tables: words.renamed(), databases: [], what: 'RENAME TABLE' };
  if (first === 'DROP' && (what === 'DATABASE' || what === 'SCHEMA')) {
    words.skip('IF', 'EXISTS');
    return { kind: 'unseen', tables: [], databases: [words.identifier()], what: 'DROP DATABASE' };
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

/** What stands in quotes stays. */
const quotedOrComment = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|\/\*[\s\S]*?\*\//g;

/** Reads a statement from its beginning, over its comments. */
class Words {
  rest: string;
  readonly #database: string;

  constructor(text: string, database: string) {
    // Commands that only some versions are to carry out stand in comments that begin with ! and a number.
    this.rest = text
      .replaceAll(/\/\*(?:M?!\d*)((?:[^*]|\*(?!\/))*)\*\//g, ' $1 ')
      .replaceAll(quotedOrComment, (part) => (part.startsWith('/*') ? ' ' : part));
    this.#database = database;
  }

  #skipBlanks(): void {
    this.rest = this.rest.replace(/^(?:\s|\/\*[\s\S]*?\*\/|--\s[^\n]*\n?|#[^\n]*\n?)+/, '');
  }

  keyword(): string {
    this.#skipBlanks();
    const word = /^[a-z_]+/i.exec(this.rest)?.[0] ?? '';
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
    const part =
      /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|\/\*[\s\S]*?\*\/|--\s[^\n]*|#[^\n]*|[\w$@\x80-\xff]+|[\s\S]/g;
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

  identifier(): string {
    this.#skipBlanks();
    const match = /^(?:`((?:[^`]|``)*)`|"((?:[^"]|"")*)"|([\w$\u0080-\uffff]+))/.exec(this.rest);
    if (match === null) return '';
    this.rest = this.rest.slice(match[0].length);
    const name = match[1]?.replaceAll('``', '`') ?? match[2]?.replaceAll('""', '"') ?? match[3] ?? '';
    // The text came as latin1, whatever the names are written in.
    return Buffer.from(name, 'latin1').toString('utf8');
  }

  name(): TableName {
    const first = this.identifier();
    this.#skipBlanks();
    if (!this.rest.startsWith('.')) return { schema: this.#database, name: first };
    this.rest = this.rest.slice(1);
    return { schema: first === '' ? this.#database : first, name: this.identifier() };
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
    const at = /\b(?:WITH|CONVERT|TO)\s+TABLE\s+/i.exec(this.rest);
    if (at === null) return [];
    this.rest = this.rest.slice(at.index + at[0].length);
    return [this.name()];
  }

  /** What is left without what stands in quotes. */
  bare(): string {
    return this.rest.replaceAll(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`/g, "''");
  }

  /** ALTER TABLE ... RENAME [TO|AS] name, but not of a column, an index or a key. */
  renamedTo(): TableName | null {
    const at = /(?:^|,)\s*RENAME\s+(?!COLUMN\b|INDEX\b|KEY\b|CONSTRAINT\b)(?:(?:TO|AS|=)\s*)?/i;
    const match = at.exec(this.bare());
    if (match === null) return null;
    const original = at.exec(this.rest);
    if (original === null) return { schema: this.#database, name: '' };
    this.rest = this.rest.slice(original.index + original[0].length);
    return this.name();
  }
}
