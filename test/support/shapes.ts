import type pg from 'pg';

/** Tables of every shape whose order of changes matters. */
export const shapesSchema = `
  CREATE TABLE parent (id int PRIMARY KEY, boss int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, label text UNIQUE, big text);
  CREATE TABLE child (a int, b text, parent int NOT NULL REFERENCES parent, pos int, big text, PRIMARY KEY (a, b), UNIQUE (parent, pos));
  CREATE TABLE slot (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY IMMEDIATE);
  CREATE TABLE late (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE other (id int PRIMARY KEY, code int NOT NULL, value numeric);
  CREATE UNIQUE INDEX other_code ON other (code);
  ALTER TABLE other REPLICA IDENTITY USING INDEX other_code;
  CREATE TABLE exact (amount numeric PRIMARY KEY, note text);
  CREATE TABLE bulk (id int PRIMARY KEY, n int, filler text);
  CREATE TABLE loose (v int, note text);
  ALTER TABLE loose REPLICA IDENTITY FULL;
  -- Not compressed, so that long values are stored apart and left out of updates that do not change them.
  ALTER TABLE parent ALTER COLUMN big SET STORAGE EXTERNAL;
  ALTER TABLE child ALTER COLUMN big SET STORAGE EXTERNAL;
`;

export const shapeTables = ['parent', 'child', 'slot', 'late', 'other', 'exact', 'bulk', 'loose'];

/** One random statement. Many break a constraint and change nothing. */
export function randomStatement(random: () => number): string {
  const n = (max = 12): number => 1 + Math.floor(random() * max);
  const big = (): string => (random() < 0.5 ? 'NULL' : `repeat(md5('${random()}'), ${n(300)})`);
  const text = (): string => `'${'abcdefghijkl'[n() - 1]}'`;
  const numeric = (): string => ['1', '1.0', '1.00', '2', '2.50', '2.5', `'NaN'`, '-0.0', '0', '1e3'][n(10) - 1] ?? '0';
  const kinds: (() => string)[] = [
    () => `INSERT INTO parent VALUES (${n()}, ${random() < 0.5 ? n() : 'NULL'}, ${text()}, ${big()})`,
    () => `INSERT INTO parent SELECT ${n()} + i * 100, ${n()}, NULL, ${big()} FROM generate_series(1, ${n()}) i`,
    () => `UPDATE parent SET label = ${text()} WHERE id = ${n()}`,
    () => `UPDATE parent SET label = CASE label WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' WHEN 'c' THEN 'a' ELSE label END`,
    () => `UPDATE parent SET label = label || '-' WHERE label < 'f'`,
    () => `UPDATE parent SET label = rtrim(label, '-')`,
    () => `UPDATE parent SET id = ${n()} WHERE id = ${n()}`,
    () => `UPDATE parent SET boss = ${n()} WHERE id < ${n()}`,
    () => `UPDATE parent SET big = ${big()} WHERE id = ${n()}`,
    () => `DELETE FROM parent WHERE id = ${n()}`,
    () => `DELETE FROM parent WHERE id > 100`,
    () => `INSERT INTO child VALUES (${n()}, ${text()}, ${n()}, ${n(3)}, ${big()})`,
    () =>
      `INSERT INTO child SELECT ${n()}, ${text()} || i, id, ${n()} + i, ${big()} FROM parent, generate_series(1, 2) i WHERE id < ${n()}`,
    () => `UPDATE child SET pos = pos + 1 WHERE parent = ${n()}`,
    () => `UPDATE child SET pos = -pos`,
    () => `UPDATE child SET a = ${n()} WHERE a = ${n()}`,
    () => `UPDATE child SET parent = ${n()} WHERE a = ${n()}`,
    () => `UPDATE child SET big = ${big()} WHERE a < ${n()}`,
    () => `DELETE FROM child WHERE a = ${n()}`,
    () => `DELETE FROM child WHERE parent = ${n()}`,
    () => `INSERT INTO slot SELECT i, i FROM generate_series(${n()}, ${n()}) i`,
    () => `UPDATE slot SET place = ${n(20)} - place`,
    () => `UPDATE slot SET place = place + 1`,
    () => `UPDATE slot SET id = id + 1 WHERE id > ${n(30)}`,
    () => `UPDATE slot SET place = ${n()} WHERE id = ${n()}`,
    () => `DELETE FROM slot WHERE id = ${n()}`,
    () => `INSERT INTO late VALUES (${n()}, ${n()})`,
    () => `UPDATE late SET place = ${n()} WHERE id = ${n()}`,
    () => `UPDATE late SET place = place + 1`,
    () => `DELETE FROM late WHERE id = ${n()}`,
    () => `INSERT INTO other VALUES (${n()}, ${n()}, ${numeric()})`,
    () => `UPDATE other SET code = ${n()} WHERE code = ${n()}`,
    () => `UPDATE other SET id = ${n()}, value = ${numeric()} WHERE id = ${n()}`,
    () => `DELETE FROM other WHERE code = ${n()}`,
    () => `INSERT INTO exact VALUES (${numeric()}, ${text()})`,
    () => `UPDATE exact SET amount = ${numeric()} WHERE amount = ${numeric()}`,
    () => `UPDATE exact SET note = ${text()} WHERE amount = ${numeric()}`,
    () => `DELETE FROM exact WHERE amount = ${numeric()}`,
    () => `INSERT INTO loose SELECT ${n(3)}, ${random() < 0.5 ? 'NULL' : `'same'`} FROM generate_series(1, ${n(4)})`,
    () => `UPDATE loose SET note = ${text()} WHERE ctid = (SELECT min(ctid) FROM loose WHERE v = ${n(3)})`,
    () => `UPDATE loose SET v = v + 1 WHERE v = ${n(3)}`,
    () => `DELETE FROM loose WHERE ctid = (SELECT max(ctid) FROM loose)`,
  ];
  const rare: (() => string)[] = [
    // Larger than a part, and than a group.
    () => `INSERT INTO bulk SELECT i, 0, repeat('x', ${n(200)}) FROM generate_series(1, 7000) i ON CONFLICT DO NOTHING`,
    () => `UPDATE bulk SET n = n + 1`,
    () => `DELETE FROM bulk WHERE id > ${n(7000)}`,
    () => 'TRUNCATE slot',
    () => 'TRUNCATE parent, child',
    () => 'TRUNCATE loose, exact',
    () => 'DELETE FROM late',
    () => 'DELETE FROM other',
  ];
  const from = random() < 0.02 ? rare : kinds;
  return from[Math.floor(random() * from.length)]?.() ?? '';
}

/** Runs one random transaction; statements that fail are rolled back by themselves. False where COMMIT refused it. */
export async function randomTransaction(client: pg.Client, random: () => number, last: string): Promise<boolean> {
  await client.query('BEGIN');
  if (random() < 0.2) await client.query('SET CONSTRAINTS ALL DEFERRED');
  const statements = random() < 0.05 ? 60 : 1 + Math.floor(random() * 6);
  for (let i = 0; i < statements; i++) {
    await client.query('SAVEPOINT s');
    try {
      await client.query(randomStatement(random));
    } catch {
      await client.query('ROLLBACK TO SAVEPOINT s');
    }
  }
  try {
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    await client.query(last);
  } catch {
    await client.query('ROLLBACK');
    return false;
  }
  await client.query('COMMIT');
  return true;
}
