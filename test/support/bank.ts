import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { TestDatabase } from './postgres.ts';
import { randomNumbers } from './seed.ts';
import { until } from './until.ts';
import { auditorRestMs } from './writer-rest.ts';

const accounts = 40;
const opening = 1_000;

/** Made on both sides of a route. */
export const bankSchema = `
  CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL, code int UNIQUE);
  CREATE TABLE transfer (id text PRIMARY KEY, payer int NOT NULL REFERENCES account, payee int NOT NULL REFERENCES account,
    amount bigint NOT NULL, note text);
  CREATE TABLE ticket (id int PRIMARY KEY, holder text, seat int UNIQUE);
`;

export async function openBank(source: TestDatabase): Promise<void> {
  await source.query(`INSERT INTO account SELECT i, ${opening}, i FROM generate_series(1, ${accounts}) i`);
  await source.query(`INSERT INTO ticket SELECT i, 'holder ' || i, i FROM generate_series(1, 20) i`);
}

export interface BankOptions {
  readonly source: TestDatabase;
  readonly writers: number;
  readonly seed: number;
  /** Between the transactions of one writer. */
  readonly pauseMs?: number;
}

/**
 * Clients that transfer money until stopped: two balances and one transfer in a transaction, whose id is its writer's
 * own count. Between them tickets change seats and ids, are torn up and issued again: swaps of unique values, changed
 * keys, deletes and inserts of one key. A server that goes away is connected to again; a transfer whose COMMIT was not
 * answered is looked up, as an honest client does.
 */
export class BankWorkload {
  readonly #options: BankOptions;
  readonly #stop = new AbortController();
  readonly #writers: Promise<number>[];

  constructor(options: BankOptions) {
    this.#options = options;
    this.#writers = Array.from({ length: options.writers }, (_, writer) => this.#write(writer));
  }

  /** Returns how many transfers were committed. */
  async stop(): Promise<number> {
    this.#stop.abort();
    return (await Promise.all(this.#writers)).reduce((sum, count) => sum + count, 0);
  }

  async #write(writer: number): Promise<number> {
    const { source, seed, pauseMs } = this.#options;
    const random = randomNumbers(seed * 1_000 + writer);
    let client: pg.Client | null = null;
    let done = 0;
    while (!this.#stop.signal.aborted) {
      const id = `${writer}-${done}`;
      try {
        client ??= await source.client();
        await transfer(client, id, random);
      } catch {
        await client?.end().catch(() => {});
        client = null;
        // Also after stop(): what the source has committed counts.
        const rows = await until(
          'the source',
          () => source.query('SELECT FROM transfer WHERE id = $1', [id]).catch(() => null),
          60_000,
        );
        if (rows.length === 0) continue;
      }
      done++;
      if (client !== null && random() < 0.3) {
        const open: pg.Client = client;
        await shuffleTickets(open, random).catch(() => open.query('ROLLBACK').catch(() => {}));
      }
      if (pauseMs !== undefined) await delay(pauseMs);
    }
    await client?.end().catch(() => {});
    return done;
  }
}

async function transfer(client: pg.Client, id: string, random: () => number): Promise<void> {
  const [payer = 0, payee = 0] = [1 + Math.floor(random() * accounts), 1 + Math.floor(random() * accounts)];
  const amount = Math.floor(random() * 50);
  await client.query('BEGIN');
  // In one order, so that two transfers never wait for each other.
  const signs = new Map([[payer, -amount]]);
  signs.set(payee, (signs.get(payee) ?? 0) + amount);
  for (const [account, change] of [...signs].sort(([a], [b]) => a - b)) {
    await client.query('UPDATE account SET balance = balance + $2 WHERE id = $1', [account, change]);
  }
  await client.query('INSERT INTO transfer VALUES ($1, $2, $3, $4, $5)', [
    id,
    payer,
    payee,
    amount,
    'x'.repeat(amount),
  ]);
  await client.query('COMMIT');
}

async function shuffleTickets(client: pg.Client, random: () => number): Promise<void> {
  const one = 1 + Math.floor(random() * 20);
  const other = 1 + (one % 20);
  const kind = Math.floor(random() * 4);
  await client.query('BEGIN');
  await client.query('LOCK TABLE ticket IN SHARE ROW EXCLUSIVE MODE');
  if (kind === 0) {
    await client.query('UPDATE ticket SET seat = -seat WHERE id = ANY($1)', [[one, other]]);
    await client.query(
      `UPDATE ticket t SET seat = -o.seat FROM ticket o WHERE t.id = ANY($1) AND o.id = ANY($1) AND t.id <> o.id`,
      [[one, other]],
    );
  } else if (kind === 1) {
    await client.query('UPDATE ticket SET id = 1000 WHERE id = $1', [one]);
    await client.query('UPDATE ticket SET id = $1 WHERE id = $2', [one, other]);
    await client.query('UPDATE ticket SET id = $1 WHERE id = 1000', [other]);
  } else if (kind === 2) {
    const { rows } = await client.query('DELETE FROM ticket WHERE id = $1 RETURNING seat', [one]);
    await client.query('INSERT INTO ticket VALUES ($1, $2, $3)', [one, `again ${random()}`, rows[0]?.seat ?? null]);
  } else {
    await client.query('UPDATE ticket SET holder = $2 WHERE id = $1', [one, `holder ${random()}`]);
  }
  await client.query('COMMIT');
}

/** What is wrong in a database, in one snapshot: null where the books are right. */
export async function bankFault(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ sum: string; accounts: number; wrong: number; tickets: number }>(`
    WITH moved AS (
      SELECT account, sum(change) AS change FROM (
        SELECT payer AS account, -amount AS change FROM transfer UNION ALL SELECT payee, amount FROM transfer) m
      GROUP BY account)
    SELECT (SELECT sum(balance) FROM account)::text AS sum, (SELECT count(*) FROM account)::int AS accounts,
      (SELECT count(*) FROM account a LEFT JOIN moved m ON m.account = a.id
        WHERE a.balance <> ${opening} + coalesce(m.change, 0))::int AS wrong,
      (SELECT count(*) FROM ticket)::int AS tickets`);
  const row = rows[0];
  if (row === undefined) return 'no answer';
  const { sum, wrong, tickets } = row;
  if (row.accounts === accounts && Number(sum) === accounts * opening && wrong === 0 && tickets === 20) return null;
  return `${row.accounts} accounts with ${sum} in sum, ${wrong} of them not what their transfers say, ${tickets} tickets`;
}

/** Reads the target again and again, as its users would, and keeps what was wrong at any moment. */
export class BankAuditor {
  readonly faults: string[] = [];
  reads = 0;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(target: TestDatabase) {
    this.#reading = this.#read(target);
  }

  async #read(target: TestDatabase): Promise<void> {
    let client: pg.Client | null = null;
    while (!this.#stop.signal.aborted) {
      try {
        client ??= await target.client();
        const fault = await bankFault(client);
        this.reads++;
        if (fault !== null) this.faults.push(fault);
        await delay(auditorRestMs);
      } catch {
        await client?.end().catch(() => {});
        client = null;
        await delay(20);
      }
    }
    await client?.end().catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }
}
