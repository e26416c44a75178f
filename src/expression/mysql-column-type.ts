/**
 * Of a type of MySQL or MariaDB, by the name that columns have (connectors/mysql/catalogue/column-type.ts), the type of the language whose values it
 * has: each of its texts is read as one of these, or as none at all (a zero date). Null of what is only passed on, and of other vendors' names.
 */
export function mysqlColumnType(name: string): string | null {
  const [, base = '', unsigned] = pattern.exec(name) ?? [];
  if (unsigned !== undefined && base === 'int') return 'int8';
  if (unsigned !== undefined && base === 'bigint') return 'numeric';
  return types[base] ?? null;
}

const pattern = /^([a-z0-9]+)(?:\(.*\))?( unsigned)?(?: collate [a-z0-9_]+)?$/s;

/** Integers are of a type that has room without a sign, too. */
const types: Readonly<Record<string, string>> = {
  tinyint: 'int2',
  smallint: 'int4',
  mediumint: 'int4',
  int: 'int4',
  bigint: 'int8',
  year: 'int2',
  decimal: 'numeric',
  float: 'float4',
  double: 'float8',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  enum: 'text',
  set: 'text',
  date: 'date',
  time: 'interval',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  json: 'json',
  uuid: 'uuid',
  binary: 'bytea',
  varbinary: 'bytea',
  tinyblob: 'bytea',
  blob: 'bytea',
  mediumblob: 'bytea',
  longblob: 'bytea',
};
