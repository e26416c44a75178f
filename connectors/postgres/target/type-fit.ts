import { asciiChar } from '../type-definitions.ts';

export interface TypeUse {
  readonly type: string;
  /** pg_attribute.atttypmod */
  readonly modifier: number;
}

/** Types whose every value is also a value of the wider one, with the same text. */
const widerTypes: Readonly<Record<string, readonly string[]>> = {
  'pg_catalog.int2': ['pg_catalog.int4', 'pg_catalog.int8'],
  'pg_catalog.int4': ['pg_catalog.int8'],
  'pg_catalog.varchar': ['pg_catalog.text'],
};

/**
 * True where every value of the source column is carried exactly by the target column. The check matters because an
 * assignment in PostgreSQL rounds (numeric, timestamp) or cuts blanks (varchar) without an error.
 */
export function typeFits(source: TypeUse, target: TypeUse): boolean {
  if (source.type !== target.type) {
    if (target.modifier !== -1) return false;
    if (target.type === 'pg_catalog.numeric') return /^pg_catalog\.int[248]$/.test(source.type);
    return widerTypes[source.type]?.includes(target.type) ?? false;
  }
  if (source.modifier === target.modifier || target.modifier === -1) return true;
  switch (source.type) {
    case 'pg_catalog.varchar':
    case 'pg_catalog.varbit':
      return source.modifier !== -1 && target.modifier >= source.modifier;
    case 'pg_catalog.numeric': {
      if (source.modifier === -1) return false;
      const [from, to] = [numericModifier(source.modifier), numericModifier(target.modifier)];
      return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
    }
    case 'pg_catalog.timestamp':
    case 'pg_catalog.timestamptz':
    case 'pg_catalog.time':
    case 'pg_catalog.timetz':
      // Without a modifier the server keeps microseconds.
      return target.modifier >= (source.modifier === -1 ? 6 : source.modifier);
    default:
      return false;
  }
}

/** numeric(p,s) is stored as ((p << 16) | s) + 4, s a signed number of 11 bits (make_numeric_typmod). */
export function numericModifier(modifier: number): { precision: number; scale: number } {
  const bits = modifier - 4;
  const scale = bits & 0x7ff;
  return { precision: (bits >> 16) & 0xffff, scale: scale > 1023 ? scale - 2048 : scale };
}

/** For messages. */
export function typeText(use: TypeUse): string {
  const name = use.type.replace(/^pg_catalog\./, '');
  if (use.type === 'pg_catalog.char') return use.modifier === asciiChar ? '"char" of ASCII alone' : '"char"';
  return use.modifier === -1 ? name : name.replace(/(?:\[\])?$/, (array) => `${modifierText(use)}${array}`);
}

/** As format_type() writes it, of the types of pg_catalog. */
function modifierText({ type, modifier }: TypeUse): string {
  switch (type.replace(/^pg_catalog\.|\[\]$/g, '').replace(/^_/, '')) {
    case 'numeric': {
      const { precision, scale } = numericModifier(modifier);
      return `(${precision},${scale})`;
    }
    case 'varchar':
    case 'bpchar':
      return `(${modifier - 4})`;
    case 'bit':
    case 'varbit':
    case 'timestamp':
    case 'timestamptz':
    case 'time':
    case 'timetz':
      return `(${modifier})`;
    default:
      return ` (modifier ${modifier})`;
  }
}
