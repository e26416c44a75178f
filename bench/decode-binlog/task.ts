import type { Position } from '../../src/core/position.ts';
import type { SourceIdentity } from '../../src/core/route-state-store.ts';
import type { MysqlVendor } from '../../test/support/mysql-binaries.ts';

/** What a reading process is told. */
export interface BinlogTask {
  readonly port: number;
  readonly vendor: MysqlVendor;
  readonly database: string;
  readonly stored: SourceIdentity;
  /** Where the backlog begins: as the engine has it, and as file and offset. */
  readonly start: Position;
  readonly file: string;
  readonly offset: number;
  /** The table whose only row is the last one. */
  readonly last: string;
  /** How many times the process reads it, one after the other: the first time it starts cold. */
  readonly readings: number;
}

/** One reading, from the first byte that is asked for to the last row. */
export interface BinlogRound {
  readonly ms: number;
  /** User and system time of the process meanwhile. */
  readonly cpuUs: number;
  /** The system's share of it, most of which is the socket's. */
  readonly systemUs: number;
  readonly rows: number;
}
