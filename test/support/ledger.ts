import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { TestDatabase } from './postgres.ts';
import { auditorRestMs } from './writer-rest.ts';

/**
 * Every transaction of the workload writes what all tables hold at its end into `ledger`, which is replicated with them:
 * a reader of the target can tell in any snapshot whether it sees the source as it was at a commit.
 */
export const ledgerSchema = 'CREATE TABLE ledger (seq int PRIMARY KEY, digest text NOT NULL);';

function digestOf(tables: readonly string[]): string {
  return tables
    .map((table) => `(SELECT coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '-') FROM ${table} t)`)
    .join(` || ' ' || `);
}

/** The last statement of a transaction. */
export function signLedger(seq: number, tables: readonly string[]): string {
  return `INSERT INTO ledger VALUES (${seq}, ${digestOf(tables)})`;
}

/** What is wrong in one snapshot of the target; null where it is the source at some commit. */
async function ledgerFault(client: pg.Client, tables: readonly string[]): Promise<string | null> {
  const { rows } = await client.query<{ seq: number | null; wanted: string | null; found: string; gaps: boolean }>(`
    SELECT l.seq, l.digest AS wanted, ${digestOf(tables)} AS found,
      (SELECT coalesce(max(seq), 0) <> count(*) FROM ledger) AS gaps
    FROM (SELECT) one LEFT JOIN (SELECT * FROM ledger ORDER BY seq DESC LIMIT 1) l ON true`);
  const row = rows[0];
  if (row === undefined) return 'no answer';
  if (row.gaps) return `transactions are missing before ${row.seq}`;
  if (row.wanted === null || row.wanted === row.found) return null;
  const [wanted, found] = [row.wanted.split(' '), row.found.split(' ')];
  return `after transaction ${row.seq}: ${tables.filter((_, i) => wanted[i] !== found[i]).join(', ')} differ`;
}

/** Reads the target again and again and keeps what was wrong. */
export class LedgerAuditor {
  readonly faults: string[] = [];
  reads = 0;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(target: TestDatabase, tables: readonly string[]) {
    this.#reading = this.#read(target, tables);
  }

  async #read(target: TestDatabase, tables: readonly string[]): Promise<void> {
    const client = await target.client();
    while (!this.#stop.signal.aborted) {
      // A reader of several tables and a TRUNCATE of several can deadlock, as at the source.
      const fault = await ledgerFault(client, tables).catch((error: { code?: string }) => {
        if (error.code === '40P01') return null;
        throw error;
      });
      this.reads++;
      if (fault !== null) this.faults.push(fault);
      await delay(auditorRestMs);
    }
    await client.end();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }
}
