import type pg from 'pg';
import type { Action, ActionJournal, ActionOutcome, JournalledAction, JournalPage } from '../../../src/core/action.ts';
import { actionsSince, leftoverSince } from './state-schema.ts';

export interface ActionJournalOptions {
  readonly client: pg.Client;
  /** deployment/route. */
  readonly routeKey: string;
  /** Runs one after the other with the other calls of the state store, and classifies errors. */
  run<T>(run: () => Promise<T>): Promise<T>;
  /** Of the state schema; null where there is none. */
  stateVersion(): Promise<number | null>;
}

/** In whatever transaction is open. */
export async function writeAction(
  client: pg.Client,
  routeKey: string,
  { action, by, via, reason, details, result, code, message }: Action,
): Promise<number> {
  const { rows } = await client.query<{ id: string }>(
    `insert into tidelock.actions (route_key, action, asked_by, via, reason, details, result, code, message)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id::text`,
    [routeKey, action, by, via, reason, JSON.stringify(details), result, code, message],
  );
  return Number(rows[0]?.id);
}

/** Entries are found by the route's key and not by its row: they stay when it is dropped. */
export class PostgresActionJournal implements ActionJournal {
  readonly #options: ActionJournalOptions;

  constructor(options: ActionJournalOptions) {
    this.#options = options;
  }

  write(action: Action): Promise<number | null> {
    return this.#options.run(async () => {
      if (!(await this.#isThere(action.result === 'begun' ? leftoverSince : actionsSince))) return null;
      return await writeAction(this.#options.client, this.#options.routeKey, action);
    });
  }

  finish(id: number, { details, result, code, message }: ActionOutcome): Promise<void> {
    return this.#options.run(async () => {
      if (!(await this.#isThere())) return;
      await this.#options.client.query(
        `update tidelock.actions set details = $2, result = $3, code = $4, message = $5 where id = $1 and result = 'begun'`,
        [id, JSON.stringify(details), result, code, message],
      );
    });
  }

  read({ deployment, before, limit }: JournalPage): Promise<readonly JournalledAction[]> {
    return this.#options.run(async () => {
      if (!(await this.#isThere())) return [];
      const { routeKey } = this.#options;
      const { rows } = await this.#options.client.query<Omit<JournalledAction, 'id'> & { readonly id: string }>(
        `select id::text, substr(route_key, strpos(route_key, '/') + 1) as route,
           to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
           action, asked_by as by, via, reason, details, result, code, message
         from tidelock.actions
         where case when $1 then starts_with(route_key, $2) else route_key = $2 end and ($3::text is null or at < $3::timestamptz)
         order by actions.at desc fetch first $4 rows with ties`,
        [deployment, deployment ? routeKey.slice(0, routeKey.indexOf('/') + 1) : routeKey, before, limit],
      );
      return rows.map(({ id, ...entry }) => ({ id: Number(id), ...entry })).sort((a, b) => b.id - a.id);
    });
  }

  async #isThere(since = actionsSince): Promise<boolean> {
    return ((await this.#options.stateVersion()) ?? 0) >= since;
  }
}
