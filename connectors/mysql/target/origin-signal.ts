import type { Origin } from '../../../src/core/transaction.ts';
import { signalTable } from '../signals.ts';
import { textLiteral } from './value-literal.ts';

/**
 * Says in the target's binlog where the transaction comes from: a Collector that reads it there knows that it was replicated. First among its rows. `number`: a row
 * that is written as it was would not be logged.
 */
export function originSignal(routeKey: string, hops: Origin, number: bigint): string {
  const content = textLiteral(JSON.stringify({ v: 1, hops, number: number.toString() }));
  return `insert into ${signalTable.schema}.${signalTable.name} (kind, id, content) values ('origin', ${textLiteral(routeKey)}, ${content}) on duplicate key update content = ${content}`;
}
