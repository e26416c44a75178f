import type { TableName } from '../../../src/core/table.ts';
import type {
  CheckSchema,
  ForeignKeySchema,
  IndexElement,
  IndexSchema,
  SqlText,
} from '../../../src/core/table-schema.ts';
import { sqlPieces } from './sql-pieces.ts';
import { SqlScanner, splitList, withoutVersionComments } from './sql-scanner.ts';

/** A column as SHOW CREATE TABLE writes it, but for what the catalogue knows better: its type, its collation. */
export interface WrittenColumn {
  readonly name: string;
  readonly notNull: boolean;
  /** As it is written, null where there is none, or NULL is it. */
  readonly default: SqlText | null;
  readonly autoIncrement: boolean;
  readonly generated: { readonly value: SqlText; readonly stored: boolean } | null;
  readonly options: readonly string[];
  /** What is not understood, or does not travel. */
  readonly left: readonly string[];
  readonly comment: string | null;
}

export interface WrittenTable {
  readonly columns: readonly WrittenColumn[];
  readonly indexes: readonly IndexSchema[];
  readonly checks: readonly CheckSchema[];
  readonly foreignKeys: readonly ForeignKeySchema[];
  /** `ENGINE=InnoDB`, `ROW_FORMAT=COMPRESSED`. */
  readonly options: readonly string[];
  readonly left: readonly string[];
  readonly nextNumber: string | null;
  readonly comment: string | null;
  /** With the partitions themselves. */
  readonly partitionedBy: SqlText | null;
}

/** Takes apart what SHOW CREATE TABLE writes of `table`. */
export function parseCreateTable(table: TableName, statement: string): WrittenTable {
  const scanner = new SqlScanner(withoutVersionComments(statement));
  scanner.take('CREATE TABLE');
  scanner.name();
  const columns: WrittenColumn[] = [];
  const indexes: IndexSchema[] = [];
  const checks: CheckSchema[] = [];
  const foreignKeys: ForeignKeySchema[] = [];
  const left: string[] = [];
  for (const definition of splitList(scanner.parentheses() ?? '')) {
    const part = new SqlScanner(definition);
    if (definition.startsWith('`')) {
      const { column, checks: own } = parseColumn(part);
      columns.push(column);
      checks.push(...own);
      continue;
    }
    const constraint = part.take('CONSTRAINT') ? (part.name() ?? '') : '';
    if (part.take('FOREIGN KEY')) foreignKeys.push(parseForeignKey(part, constraint, table));
    else if (part.take('CHECK')) checks.push(parseCheck(part, constraint));
    else {
      const index = parseIndex(part);
      if (index === null) left.push(definition);
      else indexes.push(index);
    }
  }
  return { columns, indexes, checks, foreignKeys, ...parseTail(scanner, left) };
}

function parseColumn(scanner: SqlScanner): { readonly column: WrittenColumn; readonly checks: readonly CheckSchema[] } {
  const name = scanner.name() ?? '';
  // The type.
  scanner.name();
  scanner.parentheses();
  const options: string[] = [];
  const left: string[] = [];
  const checks: CheckSchema[] = [];
  const column = {
    name,
    notNull: false,
    default: null as SqlText | null,
    autoIncrement: false,
    generated: null as WrittenColumn['generated'],
    comment: null as string | null,
  };
  while (!scanner.ended) {
    if (scanner.take('(?:unsigned|zerofill|precision|NULL|VIRTUAL|WITH SYSTEM VERSIONING)')) continue;
    if (scanner.take('(?:CHARACTER SET|COLLATE)')) scanner.name();
    else if (scanner.take('NOT NULL')) column.notNull = true;
    else if (scanner.take('DEFAULT')) {
      const value = scanner.value();
      // Bytes that are no text of the session's charset can't be read here.
      if (value.includes('\uFFFD')) left.push('DEFAULT');
      else column.default = /^NULL$/i.test(value) ? null : sqlPieces(value);
    } else if (scanner.take('ON UPDATE')) options.push(`ON UPDATE ${scanner.value()}`);
    else if (scanner.take('AUTO_INCREMENT')) column.autoIncrement = true;
    else if (scanner.take('GENERATED ALWAYS AS')) {
      if (scanner.take('ROW (?:START|END)')) left.push('GENERATED ALWAYS AS ROW');
      else column.generated = { value: sqlPieces(scanner.parentheses() ?? ''), stored: false };
    } else if (scanner.take('(?:STORED|PERSISTENT)')) {
      if (column.generated !== null) column.generated = { ...column.generated, stored: true };
    } else if (scanner.take('COMMENT')) column.comment = scanner.text();
    else if (scanner.take('INVISIBLE')) options.push('INVISIBLE');
    else if (scanner.take('COMPRESSED')) options.push('COMPRESSED');
    else if (scanner.take('SRID')) options.push(`SRID ${scanner.name()}`);
    else if (scanner.take('CHECK')) checks.push({ ...parseCheck(scanner, ''), partOf: name });
    else {
      left.push(scanner.rest);
      break;
    }
  }
  return { column: { ...column, options, left }, checks };
}

function parseCheck(scanner: SqlScanner, name: string): CheckSchema {
  const condition = sqlPieces(scanner.parentheses() ?? '');
  return { name, condition, suffix: scanner.take('NOT ENFORCED') ? ' NOT ENFORCED' : '', comment: null };
}

function parseIndex(scanner: SqlScanner): IndexSchema | null {
  const primary = scanner.take('PRIMARY KEY');
  const unique = primary || scanner.take('UNIQUE KEY');
  const method = scanner.take('FULLTEXT KEY') ? 'fulltext' : scanner.take('SPATIAL KEY') ? 'spatial' : 'btree';
  if (!unique && method === 'btree' && !scanner.take('KEY')) return null;
  const name = primary ? 'PRIMARY' : (scanner.name() ?? '');
  const elements = splitList(scanner.parentheses() ?? '').map(parseElement);
  const options: string[] = [];
  let comment: string | null = null;
  while (!scanner.ended) {
    if (scanner.take('COMMENT')) comment = scanner.text();
    else if (scanner.take('USING')) options.push(`USING ${scanner.name()}`);
    else if (scanner.take('WITH PARSER')) options.push(`WITH PARSER ${scanner.name()}`);
    else if (scanner.take('KEY_BLOCK_SIZE')) {
      scanner.takeSign('=');
      options.push(`KEY_BLOCK_SIZE=${scanner.name()}`);
    } else if (scanner.take('(?:INVISIBLE|IGNORED)')) options.push('INVISIBLE');
    else return null;
  }
  return {
    ...{ name, unique, method, elements, options, comment },
    constraint: primary ? 'primary' : null,
    include: [],
    nullsNotDistinct: false,
    withoutOverlaps: false,
    where: null,
    deferrable: 'no',
    isIdentity: false,
    valid: true,
  };
}

function parseElement(text: string): IndexElement {
  const scanner = new SqlScanner(text);
  const expression = scanner.parentheses();
  const column = expression === null ? (scanner.name() ?? '') : null;
  const length = expression === null ? scanner.parentheses() : null;
  return {
    value: column === null ? sqlPieces(expression ?? '') : [{ column }],
    isColumn: column !== null,
    length: length === null ? null : Number(length),
    order: scanner.take('DESC') ? ' DESC' : '',
    collation: null,
    operatorClass: null,
    operator: null,
  };
}

function parseForeignKey(scanner: SqlScanner, name: string, { schema }: TableName): ForeignKeySchema {
  const names = (): string[] => splitList(scanner.parentheses() ?? '').map((part) => new SqlScanner(part).name() ?? '');
  const columns = names();
  scanner.take('REFERENCES');
  const first = scanner.name() ?? '';
  const references = scanner.takeSign('.') ? { schema: first, name: scanner.name() ?? '' } : { schema, name: first };
  const referenced = names();
  let actions = '';
  while (scanner.take('ON')) {
    const event = scanner.take('DELETE') ? 'DELETE' : scanner.take('UPDATE') ? 'UPDATE' : '';
    const action = ['CASCADE', 'SET NULL', 'SET DEFAULT', 'RESTRICT', 'NO ACTION'].find((one) => scanner.take(one));
    if (event === '' || action === undefined) break;
    actions += ` ON ${event} ${action}`;
  }
  return {
    ...{ name, columns, references, referenced, actions },
    setColumns: [],
    deferrable: 'no',
    valid: true,
    enforced: true,
    period: false,
    comment: null,
  };
}

const carriedOptions: ReadonlySet<string> = new Set([
  ...['ENGINE', 'DEFAULT CHARSET', 'COLLATE', 'ROW_FORMAT', 'KEY_BLOCK_SIZE', 'COMPRESSION', 'ENCRYPTION', 'PACK_KEYS'],
  ...['STATS_PERSISTENT', 'STATS_AUTO_RECALC', 'STATS_SAMPLE_PAGES', 'AUTOEXTEND_SIZE', 'PAGE_COMPRESSED', 'ENCRYPTED'],
  ...[
    'PAGE_COMPRESSION_LEVEL',
    'ENCRYPTION_KEY_ID',
    'CHECKSUM',
    'DELAY_KEY_WRITE',
    'MIN_ROWS',
    'MAX_ROWS',
    'AVG_ROW_LENGTH',
  ],
]);

function parseTail(
  scanner: SqlScanner,
  left: string[],
): Pick<WrittenTable, 'options' | 'left' | 'nextNumber' | 'comment' | 'partitionedBy'> {
  const options: string[] = [];
  let nextNumber: string | null = null;
  let comment: string | null = null;
  let partitionedBy: SqlText | null = null;
  while (!scanner.ended) {
    if (scanner.take('PARTITION BY')) {
      const text = scanner.rest;
      if (/^SYSTEM_TIME\b/i.test(text)) left.push(`PARTITION BY ${text}`);
      else partitionedBy = partitionPieces(text);
      break;
    }
    if (scanner.take('WITH SYSTEM VERSIONING')) left.push('WITH SYSTEM VERSIONING');
    else if (scanner.take('COMMENT')) {
      scanner.takeSign('=');
      comment = scanner.text();
    } else {
      const words = ['DEFAULT CHARSET', 'DATA DIRECTORY', 'INDEX DIRECTORY'].find((two) => scanner.take(two));
      const name = words ?? scanner.name();
      const hasValue = scanner.takeSign('=');
      const value = scanner.value();
      if (name === null) {
        left.push(scanner.rest);
        break;
      }
      if (name.toUpperCase() === 'AUTO_INCREMENT') nextNumber = value;
      else if (hasValue && carriedOptions.has(name.toUpperCase())) options.push(`${name}=${value}`);
      else left.push(`${name}${hasValue ? '=' : ' '}${value}`);
    }
  }
  return { options, left, nextNumber, comment, partitionedBy };
}

/** Names of columns stand in front of the list of partitions; in lists of KEY and COLUMNS MySQL writes them plain. */
function partitionPieces(text: string): SqlText {
  const start = /\(\s*PARTITION\s/i.exec(text)?.index ?? text.length;
  const by = text.slice(0, start).replaceAll(
    /\b(KEY|COLUMNS)(\s*(?:ALGORITHM\s*=\s*\d\s*)?)\(([^()]*)\)/gi,
    (_, kind: string, between: string, list: string) =>
      `${kind}${between}(${splitList(list)
        .map((name) => (name.startsWith('`') ? name : `\`${name}\``))
        .join(',')})`,
  );
  const rest = text.slice(start).trim();
  return [...sqlPieces(by.trim()), ...(rest === '' ? [] : [`\n${rest}`])];
}
