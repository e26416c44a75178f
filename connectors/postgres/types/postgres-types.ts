import type { Column } from '../../../src/core/table.ts';
import { decimalForm, plainDecimal } from '../../../src/core/types/decimal-text.ts';
import { withPlainNumbers } from '../../../src/core/types/json-text.ts';
import { anyText, type LogicalType } from '../../../src/core/types/logical-type.ts';
import type { ColumnCodec, VendorTypes } from '../../../src/core/types/vendor-types.ts';
import { numericModifier, typeText } from '../target/type-fit.ts';
import { arrayFromCanonical, arrayToCanonical } from './array-form.ts';
import { floatShown } from './float-shown.ts';
import { padNumeric } from './pad-numeric.ts';

type TypedColumn = Pick<Column, 'type' | 'modifier' | 'definition'>;

/** PostgreSQL's types as canonical ones. Values are the server's texts under the settings of connect.ts. */
export const postgresTypes: VendorTypes = {
  family: 'postgres',
  codec: codecOf,
  describe: typeText,
};

function codecOf({ type, modifier, definition }: TypedColumn): ColumnCodec {
  if (definition?.kind === 'enum') return plain({ kind: 'enum', labels: definition.labels, repertoire: 'unicode' });
  if (definition?.kind === 'array') {
    const { element } = definition;
    const base =
      element.kind === 'base' ? element : { name: element.kind === 'enum' ? element.name : 'record', modifier: -1 };
    const codec = codecOf({ type: base.name, modifier: base.modifier, definition: element });
    // What separates its elements is an extension's own choice, and is not asked for: the literal travels as it is.
    if (element.kind === 'base' && codec.type.kind === 'own' && !element.name.startsWith('pg_catalog.'))
      return plain({ kind: 'own', name: `${element.name}[]` });
    const separator = base.name === 'pg_catalog.box' ? ';' : ',';
    return {
      type: { kind: 'array', element: codec.type },
      toCanonical: (value) => arrayToCanonical(value as string, codec, separator),
      fromCanonical: (value) => arrayFromCanonical(value as string, codec),
    };
  }
  if (definition?.kind === 'base' && (definition.name !== type || definition.modifier !== modifier))
    return codecOf({ type: definition.name, modifier: definition.modifier });
  const array = /^pg_catalog\._(.+)$/.exec(type)?.[1];
  if (array !== undefined)
    return codecOf({
      type,
      modifier,
      definition: { kind: 'array', element: { kind: 'base', name: `pg_catalog.${array}`, modifier } },
    });
  return type.startsWith('pg_catalog.') ? builtIn(type.slice(11), modifier) : extension(type);
}

function builtIn(name: string, modifier: number): ColumnCodec {
  switch (name) {
    case 'bool':
      return {
        type: { kind: 'boolean' },
        toCanonical: (value) => (value === 't' ? 'true' : 'false'),
        fromCanonical: (value) => (value === 'true' ? 't' : 'f'),
      };
    case 'int2':
      return plain({ kind: 'integer', min: -(2n ** 15n), max: 2n ** 15n - 1n });
    case 'int4':
      return plain({ kind: 'integer', min: -(2n ** 31n), max: 2n ** 31n - 1n });
    case 'int8':
      return plain({ kind: 'integer', min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'oid':
    case 'xid':
    case 'cid':
      return plain({ kind: 'integer', min: 0n, max: 2n ** 32n - 1n });
    case 'numeric':
      return numeric(modifier);
    case 'money':
      return {
        type: { kind: 'decimal', digits: { precision: 19, scale: 2 }, unsigned: false, specials: false },
        toCanonical: (value) => plainDecimal((value as string).replaceAll(/[$,]/g, '')),
        fromCanonical: null,
      };
    case 'float4':
    case 'float8':
      return float(name === 'float4' ? 32 : 64);
    case 'text':
      return plain(anyText);
    case 'name':
      // What is longer would be cut without an error.
      return plain({ ...anyText, bytes: { max: 63, encoding: 'utf8' } });
    case 'varchar':
      return plain({ ...anyText, characters: length(modifier) });
    case 'bpchar':
      return padded(length(modifier));
    case 'bytea':
      return {
        type: { kind: 'bytes', max: null, fixed: false },
        toCanonical: (value) => (Buffer.isBuffer(value) ? value : Buffer.from(value.slice(2), 'hex')),
        fromCanonical: (value) => `\\x${(value as Buffer).toString('hex')}`,
      };
    case 'bit':
      return plain({ kind: 'bits', max: modifier === -1 ? 1 : modifier, fixed: true });
    case 'varbit':
      return plain({ kind: 'bits', max: modifier === -1 ? null : modifier, fixed: false });
    case 'date':
      return plain({ kind: 'date', era: 'all', zero: false, infinity: true });
    case 'time':
      return plain({ kind: 'time', digits: modifier === -1 ? 6 : modifier, span: false });
    case 'timestamp':
      return plain(timestamp(false, modifier));
    case 'timestamptz':
      return {
        type: timestamp(true, modifier),
        toCanonical: (value) => (value as string).replace('+00', ''),
        fromCanonical: (value) => withZone(value as string),
      };
    case 'interval':
      return plain({ kind: 'interval' });
    case 'uuid':
      return plain({ kind: 'uuid' });
    case 'json':
      return plain({ kind: 'json', form: 'text' });
    case 'jsonb':
      return {
        ...plain({ kind: 'json', form: 'document' }),
        toCanonical: (value) => withPlainNumbers(value as string),
      };
    default:
      return plain({ kind: 'own', name });
  }
}

/** citext is text to its values; what else extensions have is their own. */
function extension(type: string): ColumnCodec {
  if (type.endsWith('.citext')) return plain({ ...anyText, folds: true });
  return plain({ kind: 'own', name: type });
}

function plain(type: LogicalType): ColumnCodec {
  return { type, toCanonical: null, fromCanonical: null };
}

/** varchar(n) and char(n) are stored as n + 4. */
function length(modifier: number): number | null {
  return modifier === -1 ? null : modifier - 4;
}

function timestamp(moment: boolean, modifier: number): LogicalType {
  return { kind: 'timestamp', moment, digits: modifier === -1 ? 6 : modifier, era: 'all', zero: false, infinity: true };
}

function withZone(text: string): string {
  if (text.endsWith('infinity')) return text;
  return text.endsWith(' BC') ? `${text.slice(0, -3)}+00 BC` : `${text}+00`;
}

function padded(characters: number | null): ColumnCodec {
  return {
    type: { ...anyText, characters, padded: true },
    toCanonical: (value) => (value as string).replace(/ +$/, ''),
    fromCanonical: characters === null ? null : (value) => padTo(value as string, characters),
  };
}

const firstOfPair = /[\ud800-\udbff]/;

function padTo(text: string, characters: number): string {
  if (!firstOfPair.test(text)) return text.padEnd(characters);
  let missing = characters - text.length;
  for (const character of text) if (character.length === 2) missing++;
  return missing > 0 ? text + ' '.repeat(missing) : text;
}

function float(bits: 32 | 64): ColumnCodec {
  return {
    type: { kind: 'float', bits, unsigned: false, specials: true },
    toCanonical: (value) => (Number(value) === 0 ? '0' : String(Number(value as string))),
    fromCanonical: (value) => floatShown(value as string, bits),
  };
}

function numeric(modifier: number): ColumnCodec {
  const digits = modifier === -1 ? null : numericModifier(modifier);
  return {
    // A column of limited precision takes NaN all the same, and no infinity.
    type: { kind: 'decimal', digits, unsigned: false, specials: true },
    toCanonical: (value) => (/[a-z]/i.test(value as string) ? (value as string) : plainDecimal(value as string)),
    fromCanonical: digits === null || digits.scale <= 0 ? null : (value) => padNumeric(value as string, digits.scale),
    ...(digits !== null && digits.scale >= 0 && { form: decimalForm(digits.scale) }),
  };
}
