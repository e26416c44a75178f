/** A column as information_schema.columns has it. Numbers are text, as everything that a session reads. */
export interface CataloguedType {
  readonly dataType: string;
  readonly columnType: string;
  readonly characters: string | null;
  readonly precision: string | null;
  readonly scale: string | null;
  /** Of a second. */
  readonly digits: string | null;
  readonly collation: string | null;
}

const integers: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);
const geometries: ReadonlySet<string> = new Set([
  ...['geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring', 'multipolygon'],
  ...['geometrycollection', 'geomcollection'],
]);

/**
 * The one name of a column's type, which is the same for the catalogue and the binlog (source/binlog/row-plan.ts): without display
 * widths and ZEROFILL, of floats with the digits that they are rounded to, with the collation of texts, of all geometries `geometry`, of JSON in MariaDB the text that it is. docs/connectors/mysql.md
 * lists the names, and what values of each look like.
 */
export function columnTypeOf(column: CataloguedType): string {
  const { dataType, columnType, characters, precision, scale, digits, collation } = column;
  const collated = collation === null ? '' : ` collate ${collation}`;
  const sign = /\bunsigned\b/.test(columnType) ? ' unsigned' : '';
  const fraction = digits === null || digits === '0' ? '' : `(${digits})`;
  if (integers.has(dataType)) return `${dataType}${sign}`;
  if (dataType === 'float' || dataType === 'double') return `${dataType}${fixedDigits(columnType)}${sign}`;
  if (geometries.has(dataType)) return 'geometry';
  switch (dataType) {
    case 'decimal':
      return `decimal(${precision},${scale})${sign}`;
    case 'time':
    case 'datetime':
    case 'timestamp':
      return `${dataType}${fraction}`;
    case 'bit':
      return `bit(${precision})`;
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return `${dataType}(${characters})${collated}`;
    case 'enum':
    case 'set':
      return `${dataType}(${membersOf(columnType).map(quoteMember).join(',')})${collated}`;
    default:
      return `${dataType}${collated}`;
  }
}

/** Of DOUBLE(M,D) and FLOAT(M,D), which round what they are given; '' of others. */
function fixedDigits(columnType: string): string {
  return /^(?:double|float)(\(\d+,\d+\))/.exec(columnType)?.[1] ?? '';
}

/** As type names have it, in the catalogue's names and the binlog's. */
export function quoteMember(member: string): string {
  return `'${member.replaceAll("'", "''")}'`;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', 0: '\0', Z: '\x1a', t: '\t', b: '\b' };

/** The members of an enum or a set, as COLUMN_TYPE writes them: quotes are doubled, some characters stand behind a backslash. */
export function membersOf(columnType: string): string[] {
  return [...columnType.matchAll(/'((?:[^'\\]|''|\\.)*)'/gs)].map(([, text = '']) =>
    text.replaceAll(/''|\\(.)/gs, (found, after: string | undefined) =>
      after === undefined ? found.slice(1) : (escapes[after] ?? after),
    ),
  );
}
