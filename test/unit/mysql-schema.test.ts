import { describe, expect, test } from 'vitest';
import { collationFor } from '../../connectors/mysql/schema/collations.ts';
import { compareParts } from '../../connectors/mysql/schema/compare-parts.ts';
import { parseCreateTable } from '../../connectors/mysql/schema/parse-create-table.ts';
import { saysTheSame, sqlPieces, sqlText } from '../../connectors/mysql/schema/sql-pieces.ts';

const table = { schema: 'd', name: 't' };

test('columns are found in what the server writes, and in nothing that only looks like one', () => {
  const text = "concat(`a ``b`,'it\\'s `not`',_utf8mb4'``',nextval(`d`.`s`))";
  expect(sqlPieces(text)).toEqual(['concat(', { column: 'a `b' }, ",'it\\'s `not`',_utf8mb4'``',nextval(`d`.`s`))"]);
  expect(sqlText(sqlPieces(text))).toBe(text);
});

test('what two vendors write of one expression says the same; another text, another column does not', () => {
  const same = (a: string, b: string): boolean => saysTheSame(sqlPieces(a), sqlPieces(b));
  expect(same("(concat(`n`,_utf8mb4'it\\'s'))", "concat(`n`,'it''s')")).toBe(true);
  expect(same('CURRENT_TIMESTAMP(3)', 'current_timestamp(3)')).toBe(true);
  expect(same("'5'", '5')).toBe(true);
  expect(same("'A'", "'a'")).toBe(false);
  expect(same("' a'", "'a'")).toBe(false);
  expect(same('`a` + 1', '`b` + 1')).toBe(false);
  expect(same('current_timestamp()', 'CURRENT_TIMESTAMP')).toBe(true);
});

test.each([
  // As MySQL writes it, as MariaDB does.
  ['((`a` + `b`) - `c`)', '`a` + `b` - `c`', true],
  ['(`a` - (`b` - `c`))', '`a` - `b` - `c`', false],
  ['(`a` - (`b` - `c`))', '`a` - (`b` - `c`)', true],
  ['((`a` + `b`) * `c`)', '`a` + `b` * `c`', false],
  ['(`a` + (`b` * `c`))', '`a` + `b` * `c`', true],
  ['((`a` > 0) and ((`b` > 0) or (`c` > 0)))', '`a` > 0 and (`b` > 0 or `c` > 0)', true],
  ['(((`a` > 0) and (`b` > 0)) or (`c` > 0))', '`a` > 0 and (`b` > 0 or `c` > 0)', false],
  ['((`a` > 0) and ((`b` > 0) and (`c` > 0)))', '`a` > 0 and `b` > 0 and `c` > 0', true],
  ['(`a` between 1 and (2 + `b`)) and (`c` = 1)', '`a` between 1 and 2 + `b` and `c` = 1', true],
  ['(`a` in (1,2))', '`a` in (1,2)', true],
  ['(not((`a` = 1)))', 'not `a` = 1', true],
  ['((not(`a`)) = 1)', 'not `a` = 1', false],
  ['(case when (`a` > 0) then 1 else -(2) end)', 'case when `a` > 0 then 1 else -2 end', true],
  ['concat((`a` + 1),`b`)', 'concat(`a` + 1,`b`)', true],
  ['(`a` / (`b` * 2))', '`a` / `b` * 2', false],
  ['((`and` + `or`) > 0)', '`and` + `or` > 0', true],
  ['((`x` = `a`) in (1,2))', '`x` = `a` in (1,2)', false],
  ['(`x` = (`a` in (1,2)))', '`x` = `a` in (1,2)', true],
  ['((`x` = `a`) not in (1,2))', '`x` = `a` not in (1,2)', false],
  ["((`x` = `a`) like 'b')", "`x` = `a` like 'b'", false],
  ['((`x` = `a`) between 1 and 2)', '`x` = `a` between 1 and 2', false],
  ['((`a` between 1 and 2) in (3,4))', '`a` between 1 and 2 in (3,4)', false],
  ['((`a` not in (1,2)) and (not((`b` like 3))))', '`a` not in (1,2) and not `b` like 3', true],
  ["((`a` ->> _utf8mb4'$.x') = 1)", "`a` ->> '$.x' = 1", false],
])('%s and %s say the same: %s', (one, other, isSame) => {
  expect(saysTheSame(sqlPieces(one), sqlPieces(other))).toBe(isSame);
});

describe('SHOW CREATE TABLE', () => {
  const parsed = (lines: string, tail = 'ENGINE=InnoDB') =>
    parseCreateTable(table, `CREATE TABLE \`t\` (\n${lines}\n) ${tail}`);

  test('commas, parentheses and words within texts, names and comments end nothing', () => {
    const { columns, checks, indexes } =
      parsed(`  \`a,(\` int NOT NULL DEFAULT '1' COMMENT 'DEFAULT 2, COMMENT ''x'' )',
  \`b\` enum('x,y','(') DEFAULT 'x,y',
  \`c\` int GENERATED ALWAYS AS (if(\`b\` = '),(',1,2)) STORED NOT NULL,
  KEY \`k,\` (\`b\`(3) DESC,(lower(\`b\`))) COMMENT ') USING',
  CONSTRAINT \`n\` CHECK ((\`b\` <> _utf8mb4'),\`b\`')) /*!80016 NOT ENFORCED */`);
    expect(columns.map(({ name, notNull, comment }) => [name, notNull, comment])).toEqual([
      ['a,(', true, "DEFAULT 2, COMMENT 'x' )"],
      ['b', false, null],
      ['c', true, null],
    ]);
    expect(columns[2]?.generated).toEqual({ value: ['if(', { column: 'b' }, " = '),(',1,2)"], stored: true });
    expect(indexes[0]).toMatchObject({
      name: 'k,',
      comment: ') USING',
      elements: [{ length: 3, order: ' DESC' }, { isColumn: false }],
    });
    expect(checks).toMatchObject([{ name: 'n', suffix: ' NOT ENFORCED' }]);
    expect(columns.flatMap(({ left }) => left)).toEqual([]);
  });

  test('what is not understood is left out by name', () => {
    const { left, columns, options } = parsed(
      '  `a` int DEFAULT NULL COLUMN_FORMAT FIXED',
      "ENGINE=InnoDB DATA DIRECTORY='/x y/' WITH SYSTEM VERSIONING ROW_FORMAT=DYNAMIC",
    );
    expect(columns[0]?.left).toEqual(['COLUMN_FORMAT FIXED']);
    expect(left).toEqual(["DATA DIRECTORY='/x y/'", 'WITH SYSTEM VERSIONING']);
    expect(options).toEqual(['ENGINE=InnoDB', 'ROW_FORMAT=DYNAMIC']);
  });

  test('an index that is another one is made anew under its name, whatever that is', () => {
    const named = { schema: 'd', name: 'a ADD b' };
    const withIndex = (columns: string) => ({
      ...named,
      ...parseCreateTable(
        named,
        `CREATE TABLE \`t\` (\n  \`a\` int,\n  \`b\` int,\n  KEY \`$& $'\` (${columns})\n) ENGINE=InnoDB`,
      ),
      columns: [],
      partitions: [],
      inherits: [],
    });
    const options = { vendor: 'mysql', foreignKeysAct: false, isTaken: () => false } as const;
    expect(compareParts(withIndex('`a`,`b`'), withIndex('`a`'), options).differences).toEqual([
      {
        what: "index $& $' is another one",
        statement: "ALTER TABLE `d`.`a ADD b` DROP KEY `$& $'`, ADD KEY `$& $'` (`a`, `b`)",
      },
    ]);
  });

  test('columns that partitions are made by are columns, whether the server quotes them or not', () => {
    const by = (tail: string) =>
      parsed('  `id` int NOT NULL', `ENGINE=InnoDB\n/*!50500 PARTITION BY ${tail} */`).partitionedBy;
    expect(by('KEY (id)\nPARTITIONS 3')).toEqual(['KEY (', { column: 'id' }, ')\nPARTITIONS 3']);
    expect(by('RANGE  COLUMNS(`d e`,id)\n(PARTITION `id` VALUES LESS THAN (1,2))')).toEqual([
      'RANGE  COLUMNS(',
      { column: 'd e' },
      ',',
      { column: 'id' },
      ')',
      '\n(PARTITION `id` VALUES LESS THAN (1,2))',
    ]);
  });
});

test.each([
  ['utf8mb4_0900_ai_ci', 'mariadb', 'utf8mb4_uca1400_nopad_ai_ci', false],
  ['utf8mb4_0900_bin', 'mariadb', 'utf8mb4_nopad_bin', true],
  ['utf8mb4_de_pb_0900_as_cs', 'mariadb', 'utf8mb4_uca1400_german2_nopad_as_cs', false],
  ['utf8mb4_ja_0900_as_cs_ks', 'mariadb', 'utf8mb4_uca1400_nopad_as_cs', false],
  ['latin1_swedish_ci', 'mariadb', 'latin1_swedish_ci', true],
  ['utf8mb4_uca1400_ai_ci', 'mysql', 'utf8mb4_0900_ai_ci', false],
  ['utf8mb4_uca1400_swedish_nopad_as_ci', 'mysql', 'utf8mb4_sv_0900_as_cs', false],
  ['utf8mb4_uca1400_ai_cs', 'mysql', 'utf8mb4_0900_as_cs', false],
  ['utf8mb4_general_nopad_ci', 'mysql', 'utf8mb4_general_ci', false],
  ['utf8mb4_general_ci', 'mysql', 'utf8mb4_general_ci', true],
  ['utf8mb4_croatian_ci', 'mariadb', 'utf8mb4_croatian_mysql561_ci', false],
  ['ucs2_croatian_mysql561_ci', 'mysql', 'ucs2_croatian_ci', false],
  ['latin2_croatian_ci', 'mysql', 'latin2_croatian_ci', true],
] as const)('%s is carried to %s as %s', (name, vendor, carried, isSame) => {
  expect(collationFor(name, vendor)).toEqual({ name: carried, isSame });
});
