import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TidelockError } from '../../src/core/errors/tidelock-error.ts';
import { type Following, following } from '../integration/consumer/following.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { randomNumbers, seeds } from '../support/seed.ts';

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

const transactions = 40;

/** Makes statements for one table; whether they are right is the server's matter, since columns come and go. */
class Script {
  readonly #random: () => number;
  readonly #table: string;
  readonly #types = new Map([
    ['a', 'int'],
    ['b', 'varchar(5)'],
  ]);
  #id = 0;
  #name = 0;

  constructor(table: string, random: () => number) {
    this.#table = table;
    this.#random = random;
  }

  statement(): string {
    return this.#random() < 0.85 ? this.#row() : `ALTER TABLE ${this.#table} ${this.#definition()}`;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #row(): string {
    const names = [...this.#types.keys()];
    const column = names.length > 0 ? `"${this.#pick(names)}"` : null;
    const id = 1 + Math.floor(this.#random() * (this.#id + 1));
    const kind = this.#random();
    if (kind < 0.45 || column === null) return `INSERT INTO ${this.#table} (id) VALUES (${++this.#id})`;
    if (kind < 0.9)
      return `UPDATE ${this.#table} SET ${column} = '${Math.floor(this.#random() * 90)}' WHERE id = ${id}`;
    if (kind < 0.997) return `DELETE FROM ${this.#table} WHERE id = ${id}`;
    return `TRUNCATE ${this.#table}`;
  }

  /** Names are given again now and then: a column that was dropped and one that has its name are not the same. */
  #newName(): string {
    return this.#random() < 0.06 ? this.#pick(['a', 'b', 'n1', 'n2']) : `n${++this.#name}`;
  }

  #definition(): string {
    const names = [...this.#types.keys()];
    const kind = this.#random();
    if (kind < 0.4 || names.length < 2) {
      const name = this.#newName();
      const type = this.#pick(['int', 'varchar(5)', 'numeric(6,2)']);
      this.#types.set(name, type);
      return `ADD "${name}" ${type}${this.#random() < 0.6 ? ` DEFAULT '${Math.floor(this.#random() * 90)}'` : ''}`;
    }
    const column = this.#pick(names);
    const type = this.#types.get(column) ?? '';
    if (kind < 0.6) {
      this.#types.delete(column);
      return `DROP "${column}"`;
    }
    if (kind < 0.8) {
      const name = this.#newName();
      this.#types.delete(column);
      this.#types.set(name, type);
      return `RENAME "${column}" TO "${name}"`;
    }
    if (kind < 0.9) return `ALTER "${column}" SET DEFAULT '5'`;
    const wider =
      { int: 'int', 'varchar(5)': 'varchar(9)', 'varchar(9)': 'text', 'numeric(6,2)': 'numeric(9,2)' }[type] ?? type;
    this.#types.set(column, wider);
    // Now and then one that changes the values that are there.
    return `ALTER "${column}" TYPE ${wider}${this.#random() < 0.05 && wider === 'int' ? ` USING "${column}" + 1` : ''}`;
  }
}

async function rows(database: TestDatabase): Promise<unknown[]> {
  return await database.query(`SELECT to_jsonb(t)::text AS row FROM t ORDER BY 1`);
}

const cases = 9;

test.for(seeds())(
  'random definitions and rows: the target ends equal, or the route says what it can not tell, seed %i',
  { timeout: 120_000 },
  async (seed) => {
    const outcomes: string[] = [];
    for (let number = 0; number < cases; number++) {
      const random = randomNumbers(seed * 1_000 + number);
      await using route = await following(here, there, {
        schema: 'CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(5));',
      });
      const script = new Script('t', random);
      const client = await route.source.client();
      let outcome = 'equal';
      try {
        // In step, in backlogs of a few transactions, or in one.
        const often = [1, 0.4, 0.05][number % 3] ?? 1;
        for (let left = transactions; left > 0 && outcome === 'equal'; left--) {
          await transaction(client, script, random);
          if (random() < 0.05) await route.restart();
          // A definition is met with the next row.
          if (left === 1) await client.query('INSERT INTO t (id) VALUES (0)');
          if (random() < often || left === 1) outcome = await followed(route);
        }
      } finally {
        await client.end();
      }
      outcomes.push(outcome);

      if (outcome === 'equal') expect([number, await rows(route.target)]).toEqual([number, await rows(route.source)]);
      else expect([number, outcome]).toEqual([number, expect.stringMatching(/TL-(4109|2104)/)]);
    }
    // It may halt for good reasons, and must not for others.
    expect(outcomes.filter((outcome) => outcome === 'equal').length).toBeGreaterThan(0);
  },
);

async function transaction(client: Client, script: Script, random: () => number): Promise<void> {
  await client.query('BEGIN');
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    await client.query('SAVEPOINT s');
    await client.query(script.statement()).catch(() => client.query('ROLLBACK TO s'));
  }
  await client.query('COMMIT');
}

async function followed(route: Following): Promise<string> {
  try {
    await route.follow();
    return 'equal';
  } catch (error) {
    if (error instanceof TidelockError) return `${error.code} ${error.message}`;
    throw error;
  }
}
