import type { Action, ActionJournal, ActionOutcome, JournalledAction, JournalPage } from '../../../src/core/action.ts';
import type { MysqlSession } from '../connect.ts';

export interface ActionJournalOptions {
  readonly session: MysqlSession;
  /** deployment/route. */
  readonly routeKey: string;
  /** Runs one after the other with the other calls of the state store, and classifies errors. */
  run<T>(run: () => Promise<T>): Promise<T>;
  /** Of the state; null where there is none. */
  stateVersion(): Promise<number | null>;
}

/** In whatever transaction is open. */
export async function writeAction(session: MysqlSession, routeKey: string, entry: Action): Promise<number> {
  const { action, by, via, reason, details, result, code, message } = entry;
  await session.change(
    `insert into tidelock.actions (route_key, at, action, asked_by, via, reason, details, result, code, message)
     values (?, sysdate(6), ?, ?, ?, ?, ?, ?, ?, ?)`,
    [routeKey, action, by, via, reason, JSON.stringify(details), result, code, message],
  );
  const [row] = await session.query('select last_insert_id()');
  return Number(row?.[0]);
}

/** Entries are found by the route's key and not by its row: they stay when it is dropped. */
export class MysqlActionJournal implements ActionJournal {
  readonly #options: ActionJournalOptions;

  constructor(options: ActionJournalOptions) {
    this.#options = options;
  }

  write(action: Action): Promise<number | null> {
    const { run, session, routeKey } = this.#options;
    return run(async () => ((await this.#isThere()) ? await writeAction(session, routeKey, action) : null));
  }

  finish(id: number, { details, result, code, message }: ActionOutcome): Promise<void> {
    return this.#options.run(async () => {
      if (!(await this.#isThere())) return;
      await this.#options.session.change(
        `update tidelock.actions set details = ?, result = ?, code = ?, message = ? where id = ? and result = 'begun'`,
        [JSON.stringify(details), result, code, message, id],
      );
    });
  }

  read({ deployment, before, limit }: JournalPage): Promise<readonly JournalledAction[]> {
    return this.#options.run(async () => {
      if (!(await this.#isThere())) return [];
      const { routeKey, session } = this.#options;
      const prefix = deployment ? routeKey.slice(0, routeKey.indexOf('/') + 1) : routeKey;
      const which = deployment ? 'left(route_key, char_length(?)) = ?' : '? = ? and route_key = ?';
      const values = deployment ? [prefix, prefix] : [prefix, prefix, prefix];
      // ISO 8601 with a Z is not what the server reads.
      const until = before === null ? [] : [before.replace('T', ' ').replace('Z', '')];
      const where = `${which}${before === null ? '' : ' and at < ?'}`;
      const [last] = await session.query(
        `select at from tidelock.actions where ${where} order by at desc limit 1 offset ${Math.max(0, limit - 1)}`,
        [...values, ...until],
      );
      const rows = await session.query(
        `select id, route_key, date_format(at, '%Y-%m-%dT%H:%i:%s.%fZ'), action, asked_by, via, reason, details, result, code, message
         from tidelock.actions where ${where}${last === undefined ? '' : ' and at >= ?'} order by id desc`,
        [...values, ...until, ...(last === undefined ? [] : [last[0] ?? ''])],
      );
      return rows.map(entryOf);
    });
  }

  async #isThere(): Promise<boolean> {
    return (await this.#options.stateVersion()) !== null;
  }
}

function entryOf(row: readonly (string | null)[]): JournalledAction {
  const [id, key, at, action, by, via, reason, details, result, code, message] = row;
  return {
    id: Number(id),
    route: (key ?? '').slice((key ?? '').indexOf('/') + 1),
    at: at ?? '',
    action: action ?? '',
    by: by ?? '',
    via: via as Action['via'],
    reason: reason ?? null,
    details: JSON.parse(details ?? '{}'),
    result: result as Action['result'],
    code: code ?? null,
    message: message ?? null,
  };
}
