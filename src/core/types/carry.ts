import { carryCoded } from './carry-coded.ts';
import { carryJson } from './carry-json.ts';
import { carryNumber } from './carry-number.ts';
import { carryText } from './carry-text.ts';
import { carryTime } from './carry-time.ts';
import { type Carrying, exact, refused } from './carrying.ts';
import type { Conversions } from './conversions.ts';
import { anyText, type LogicalType } from './logical-type.ts';

/**
 * Whether and how values of one type become values of another: as they are, under conditions that each value is checked for, or not at all. The one
 * place that decides it; docs/types.md is generated from its answers.
 */
export function carry(from: LogicalType, to: LogicalType, conversions: Conversions = {}): Carrying {
  if (from.kind === 'own' || to.kind === 'own') return carryOwn(from, to, conversions);
  return (
    carryNumber(from, to, conversions) ??
    carryTime(from, to, conversions) ??
    carryJson(from, to, conversions) ??
    carryCoded(from, to) ??
    carryText(from, to, conversions) ??
    refused(`no form of ${from.kind} is a ${to.kind} without a loss`)
  );
}

/** MySQL's VECTOR, whose values are bytes that not all bytes are. */
export const vectorType: LogicalType = { kind: 'own', name: 'vector' };

/** What only one vendor has travels as its text, and comes back from one where the server takes that for the value. */
function carryOwn(from: LogicalType, to: LogicalType, conversions: Conversions): Carrying {
  if (from.kind === 'own' && to.kind === 'own')
    return from.name === to.name ? exact() : refused(`${from.name} is not ${to.name}`);
  if (from === vectorType) return to.kind === 'bytes' && to.max === null ? exact() : refused('a vector is bytes');
  if (from.kind === 'own') {
    if (to.kind === 'text') return carryText(anyText, to, conversions) ?? refused('the text has no room');
    return refused(`${from.name} is known to one kind of database only; a column of text takes it`);
  }
  return refused(
    `${to.kind === 'own' ? to.name : to.kind} is known to one kind of database only; use a column of text`,
  );
}
