const names = [
  ...['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'money', 'oid', 'uuid', 'pg_lsn', 'char', 'name'],
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval'],
  ...['point', 'line', 'lseg', 'box', 'circle', 'macaddr', 'macaddr8'],
];

/** Types whose values are never stored apart from their row, as the source names them: always logged. */
export const fixedSizeTypes: ReadonlySet<string> = new Set(names.map((name) => `pg_catalog.${name}`));
