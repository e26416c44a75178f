/**
 * From what is promised of PostgreSQL's types and of the shapes of tables to the tests that prove it and the mutations that show that they can fail.
 * test/unit/mutations.test.ts holds it against the files.
 */
export interface ProvenLine {
  readonly line: string;
  /** Files under test/, and how the names of tests in them begin or what they contain. */
  readonly tests: readonly (readonly [file: string, name: string])[];
  /** Ids. */
  readonly mutations: readonly string[];
}

const types = 'property/types.test.ts';
const values = 'integration/consumer/values.test.ts';
const traps = 'integration/consumer/traps.test.ts';
const shapes = 'integration/route/shapes.test.ts';
const partitions = 'integration/route/partitions.test.ts';
const ofTypes = 'integration/route/types.test.ts';
const random = [types, 'random rows of every type'] as const;
const everyValue = [values, 'every value of every type'] as const;

export const typesAndShapes: readonly ProvenLine[] = [
  {
    line: 'numeric of any size, NaN and infinities; intervals; floats; money in any locale; timestamptz whatever the session',
    tests: [random, everyValue, ['property/pgoutput-server.test.ts', 'stream and COPY give every value']],
    mutations: ['floats-cut', 'numeric-rounds', 'old-values-as-they-came'],
  },
  {
    line: 'ranges and multiranges, arrays with nulls and bounds, composite, enum, bytea, bit, json, jsonb, xml, text search, inet, geometric, pg_lsn, oid types, uuid',
    tests: [random, everyValue, [ofTypes, 'array types whose names differ'], [ofTypes, 'casts that users have made']],
    mutations: ['unescaped-copy', 'invalid-byte-passes', 'reads-beyond-its-message'],
  },
  {
    line: 'domains, with their own digits',
    tests: [
      [traps, 'own precision counts'],
      [ofTypes, 'types of one name that are made of other parts'],
    ],
    mutations: ['domain-without-its-digits'],
  },
  {
    line: "citext, hstore, ltree and other extensions' types, by text and by their own equality",
    tests: [[traps, 'keys of a type that is not of the server itself'], random],
    mutations: ['numeric-keys-as-written'],
  },
  {
    line: 'keys are equal outside of the server where they are inside of it',
    tests: [
      [types, 'keys are one and the same'],
      [shapes, 'columns with collations of their own'],
    ],
    mutations: ['numeric-keys-as-written', 'unindexed-new-rows'],
  },
  {
    line: 'partitioned tables, through the root and leaf to leaf',
    tests: [
      [partitions, 'a partitioned table is carried under its own name'],
      [partitions, 'partitions are carried leaf to leaf'],
    ],
    mutations: ['partitions-by-their-own-names', 'partition-attached-again'],
  },
  {
    line: 'inheritance',
    tests: [
      [shapes, 'a child of a table is a table of its own'],
      [traps, 'rows of inheritance children'],
    ],
    mutations: ['rows-of-children'],
  },
  {
    line: 'generated and identity columns',
    tests: [
      [shapes, 'generated columns, stored and virtual'],
      [ofTypes, 'an identity column that is GENERATED ALWAYS'],
      [values, 'tables whose every column is an identity'],
    ],
    mutations: ['default-of-its-own'],
  },
  {
    line: 'tables without a primary key (USING INDEX, FULL), identical rows',
    tests: [
      [shapes, 'tables without a key'],
      [values, 'replica identity %s'],
    ],
    mutations: ['all-identical-rows'],
  },
  {
    line: 'unlogged and foreign tables are named as not carried',
    tests: [[shapes, 'what a glob matches and nothing can carry']],
    mutations: ['unlogged-not-named'],
  },
  {
    line: '5,000 tables',
    tests: [['integration/route/many-tables.test.ts', 'many tables start within seconds']],
    mutations: ['catalogue-of-before'],
  },
  {
    line: '1,600 columns',
    tests: [
      [shapes, '1,600 columns'],
      [values, '1600 columns'],
    ],
    mutations: ['more-columns-than-a-set'],
  },
  {
    line: 'quoted, mixed-case and non-ASCII names',
    tests: [[shapes, 'quoted, mixed-case, non-ASCII']],
    mutations: ['quotes-in-names'],
  },
  {
    line: 'unchanged TOAST',
    tests: [[shapes, 'values that are stored apart']],
    mutations: ['large-values-written-over', 'incomplete-row-inserted'],
  },
  {
    line: 'truncate with several tables',
    tests: [
      [shapes, 'several tables are emptied at once'],
      [traps, 'a truncate of tables that others write'],
    ],
    mutations: ['sequences-not-restarted', 'truncate-of-a-share-empties-parents-first'],
  },
  {
    line: 'rows up to maxRowBytes',
    tests: [[shapes, 'rows are carried up to maxRowBytes']],
    mutations: ['rows-above-the-limit', 'large-row-passed-over'],
  },
];
