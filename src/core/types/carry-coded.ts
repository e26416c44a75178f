import { type Carrying, type Check, checked, exact, refused } from './carrying.ts';
import type { LogicalType } from './logical-type.ts';

/** What has a form of its own: bits, UUIDs, members of enums and sets, intervals; null where it is not about these. */
export function carryCoded(from: LogicalType, to: LogicalType): Carrying | null {
  if (from.kind === 'bits' && to.kind === 'bits') return carryBits(from, to);
  if (from.kind === 'interval' && to.kind === 'interval') return exact();
  if (from.kind === 'uuid') return carryUuid(to);
  if (to.kind === 'uuid' && from.kind === 'text')
    return checked([form(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)]);
  if (to.kind === 'enum') return to.merges === true ? merging : toEnum(from, to.labels);
  if (to.kind === 'set') return to.merges === true ? merging : toSet(from, to.labels);
  if (to.kind === 'integer' && from.kind === 'text') return toInteger(to);
  return null;
}

const merging = refused('two of its members are one to the server, which would store the first of them for either');

function form(pattern: RegExp): Check {
  return { condition: 'form', applies: true, fails: (value) => !pattern.test(value) };
}

function toInteger(to: Extract<LogicalType, { kind: 'integer' }>): Carrying {
  return checked([
    form(/^(?:0|-?[1-9][0-9]*)$/),
    { condition: 'range', applies: true, fails: (value) => BigInt(value) < to.min || BigInt(value) > to.max },
  ]);
}

type Bits = Extract<LogicalType, { kind: 'bits' }>;

/** A bit string keeps its length, zeros before it too. */
function carryBits(from: Bits, to: Bits): Carrying {
  const isSame = from.fixed && to.fixed && from.max === to.max;
  const fits = !to.fixed && (to.max === null || (from.max !== null && from.max <= to.max));
  return checked([
    {
      condition: 'length',
      applies: !isSame && !fits,
      fails: (value) => (to.fixed ? value.length !== to.max : value.length > (to.max ?? value.length)),
    },
  ]);
}

function carryUuid(to: LogicalType): Carrying | null {
  if (to.kind === 'uuid') return exact();
  if (to.kind === 'bytes' && to.max === 16)
    return exact((value) => Buffer.from((value as string).replaceAll('-', ''), 'hex'));
  return null;
}

function toEnum(from: LogicalType, labels: readonly string[]): Carrying | null {
  if (from.kind !== 'enum' && from.kind !== 'text') return null;
  const known = new Set(labels);
  const applies = from.kind === 'text' || from.empties === true || from.labels.some((label) => !known.has(label));
  return checked([{ condition: 'member', applies, fails: (value) => !known.has(value) }]);
}

function toSet(from: LogicalType, labels: readonly string[]): Carrying | null {
  if (from.kind !== 'set' && from.kind !== 'text') return null;
  const places = new Map(labels.map((label, index) => [label, index]));
  const isSame = from.kind === 'set' && from.labels.join('\0') === labels.slice(0, from.labels.length).join('\0');
  return checked([
    {
      condition: 'member',
      applies: !isSame,
      // The target writes them in its own order, once each.
      fails: (value) => {
        let last = -1;
        for (const label of value === '' ? [] : value.split(',')) {
          const place = places.get(label) ?? -1;
          if (place <= last) return true;
          last = place;
        }
        return false;
      },
    },
  ]);
}
