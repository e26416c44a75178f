import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';

/** A value that was read is not the UTF-8 that the server says it is. The value itself is never told. */
export class UnreadTextError extends Error {
  /** As the source names them. */
  readonly table: string;
  readonly column: string;

  constructor(table: string, column: string) {
    super(`a value of ${table}.${column} is not valid UTF-8`);
    this.table = table;
    this.column = column;
  }

  /** As the binlog's reader tells of such a value. */
  at(route: string, position: string): TidelockError {
    const { table, column } = this;
    return fail(sourceErrors.unreadableValue, { route, table, column, position, why: 'it is not valid UTF-8' }, this);
  }
}
