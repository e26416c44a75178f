/** Commands that are carried out at the target, each as far as its form is known (target/read-command.ts). */
export const carriedTags: readonly string[] = [
  'ALTER TABLE',
  'CREATE TABLE',
  'CREATE TABLE AS',
  'SELECT INTO',
  'CREATE INDEX',
  'ALTER INDEX',
  'COMMENT',
  'CREATE SCHEMA',
  'ALTER SCHEMA',
  'CREATE TYPE',
  'ALTER TYPE',
  'CREATE DOMAIN',
  'ALTER DOMAIN',
  'CREATE SEQUENCE',
  'ALTER SEQUENCE',
];

export const droppedTags: readonly string[] = [
  'DROP TABLE',
  'DROP INDEX',
  'DROP SCHEMA',
  'DROP TYPE',
  'DROP DOMAIN',
  'DROP SEQUENCE',
  'DROP OWNED',
];

/** Commands that the target goes without: they hold no rows, and are often meant for one side only. They are told. */
export const leftOutTags: readonly string[] = [
  ...[
    'AGGREGATE',
    'COLLATION',
    'CONVERSION',
    'EXTENSION',
    'FOREIGN DATA WRAPPER',
    'FOREIGN TABLE',
    'FUNCTION',
    'LANGUAGE',
  ],
  ...['MATERIALIZED VIEW', 'OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY', 'POLICY', 'PROCEDURE', 'RULE', 'SERVER'],
  ...['STATISTICS', 'TEXT SEARCH CONFIGURATION', 'TEXT SEARCH DICTIONARY', 'TRIGGER', 'USER MAPPING', 'VIEW'],
]
  .flatMap((kind) => [`CREATE ${kind}`, `ALTER ${kind}`, `DROP ${kind}`])
  .filter((tag) => tag !== 'ALTER AGGREGATE')
  .concat(['ALTER ROUTINE', 'DROP ROUTINE', 'CREATE CAST', 'DROP CAST', 'IMPORT FOREIGN SCHEMA'])
  .concat(['GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES', 'SECURITY LABEL']);
