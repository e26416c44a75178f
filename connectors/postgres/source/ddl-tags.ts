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
  ...['AGGREGATE', 'EXTENSION', 'FOREIGN TABLE', 'FUNCTION', 'MATERIALIZED VIEW', 'POLICY', 'PROCEDURE', 'RULE'],
  ...['STATISTICS', 'TRIGGER', 'VIEW'],
]
  .flatMap((kind) => [`CREATE ${kind}`, `ALTER ${kind}`, `DROP ${kind}`])
  .filter((tag) => tag !== 'ALTER AGGREGATE')
  .concat(['GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES', 'SECURITY LABEL']);
