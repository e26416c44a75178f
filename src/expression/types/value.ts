import type { Row } from '../../core/cell.ts';
import type { Interval } from './interval.ts';
import type { Numeric } from './numeric.ts';

/**
 * A value while it is computed with. Which kind it is follows from the SQL type: number for int2, int4, float4, float8,
 * date (days) and time (microseconds), bigint for int8 and timestamps (microseconds), string for text, names, uuid,
 * json and what is only passed on.
 */
export type Value = null | boolean | number | bigint | string | Numeric | Interval | Buffer;

export type Evaluate = (row: Row) => Value;
