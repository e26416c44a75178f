import type { LoadedChunk } from '../../core/load.ts';

/** The load of one table beside the stream, for as long as one session lasts. */
export interface LoadOfTable {
  /** All of its rows are on their way. */
  readonly done: boolean;
  /** Read of the source so far. */
  readonly rows: number;
  readonly bytes: number;
  /** Rows that it replaces are still at the target. */
  readonly emptying: boolean;
  /** It reads what ends with the session, and would have to begin anew then. */
  readonly reads?: boolean;
  /** Changes of the table are left out: whatever is at the target of it goes before its rows come. */
  readonly isLeft?: boolean;
  /** It can't go on in this session. */
  readonly isOver?: boolean;
  /** What there is to be read, where that shows while it is read. */
  readonly expected?: { readonly rows: number; readonly bytes: number } | null;
  /** The stream has come to where the table has this name. */
  rename(label: string): void;
  /** What it reads is gone, since nobody goes on with it. */
  letGo?(): void;
  /** What the target has made of a chunk. */
  applied(chunk: LoadedChunk): void;
  /** Until all rows are on their way to the target. Rejects where the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}
