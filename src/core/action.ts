/** What an operator has done, as the journal keeps it. Never a secret or a row value. */
export interface Action {
  /** The verb: start, stop, pause, skip, drop, ... */
  readonly action: string;
  /** user@host for the command line, the name of the token for the API. */
  readonly by: string;
  readonly via: 'cli' | 'api' | 'signal';
  readonly reason: string | null;
  /** What was asked for, and what came of it. */
  readonly details: Readonly<Record<string, unknown>>;
  /**
   * `refused` as long as somebody does not mend what was asked for; `failed` where a server or the network did; `begun`: no
   * more is known, since whoever did it has died, or could not write here any more.
   */
  readonly result: 'begun' | 'done' | 'refused' | 'failed';
  /** Of the error. */
  readonly code: string | null;
  readonly message: string | null;
}

export interface JournalledAction extends Action {
  /** Unique within the target; grows. */
  readonly id: number;
  readonly route: string;
  /** Target clock, ISO 8601 with microseconds. */
  readonly at: string;
}

export interface JournalPage {
  /** Of the whole deployment, as far as this target has it, and not of the route alone. */
  readonly deployment: boolean;
  /** Only what was done before: the `at` of an entry. */
  readonly before: string | null;
  /** All of one microsecond are on one page, which may be longer then. */
  readonly limit: number;
}

/** What came of an action that was begun. */
export type ActionOutcome = Pick<Action, 'details' | 'result' | 'code' | 'message'>;

/**
 * Makes the entry of an action of what came of it. Stores write it in the transaction that does what was asked, so that neither
 * is there without the other.
 */
export type MakeEntry = (outcome?: Readonly<Record<string, unknown>>) => Action;

/** The operators' journal of a route, at its target. It outlives the route, up to the last one that the target has. */
export interface ActionJournal {
  /** Returns the entry's id; null where nothing is stored there, or what is stored is of an older engine. */
  write(action: Action): Promise<number | null>;
  /** Of an entry that was `begun`. Nothing where it is gone. */
  finish(id: number, outcome: ActionOutcome): Promise<void>;
  /** The newest first. */
  read(page: JournalPage): Promise<readonly JournalledAction[]>;
}
