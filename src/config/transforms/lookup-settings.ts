import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml, type SchemaOptions } from 'yaml';
import { z } from 'zod';
import { lookup } from '../../../transforms/lookup.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';
import type { TransformContext } from './transform-context.ts';

/** It is held in memory by each route that uses it. */
const limitBytes = 64_000_000;

export function lookupSchema(s: Scalars) {
  return s
    .section({
      file: s.text('A .csv file with a header line, or a .json or .yaml file with a list of mappings.', {
        example: './countries.csv',
      }),
      key: s.text('Field of the file that is compared with the column.', { example: 'code' }),
      column: s.text('Column whose value is looked up.', { example: 'country_code' }),
      set: z.record(z.string(), s.text('A field of the file.')).meta({
        'x-type': 'column: field',
        description: 'Columns, old or new, that get fields of the row that was found. They are text.',
        examples: [{ country_name: 'name' }],
      }),
      missing: s
        .choice({ now: ['halt', 'null'] }, 'What becomes of a value that the file does not have.')
        .prefault('halt'),
    })
    .meta({
      description:
        'Puts fields of a keyed file beside a value. The file is part of the configuration: changing it changes the route.',
    });
}

type Data = z.output<ReturnType<typeof lookupSchema>>;

export function lookupSettings(data: Data, context: TransformContext): ConfiguredTransform | null {
  const bytes = context.readFile(['file'], data.file);
  if (bytes === null) return null;
  if (bytes.length > limitBytes) return context.complain(['file'], `is larger than ${limitBytes} bytes`);
  const text = decoded(bytes);
  if (text === null) return context.complain(['file'], 'is not UTF-8');
  const records = read(data.file, text);
  if (records === null) return context.complain(['file'], 'is no list of records');
  const fields = new Set(records.flatMap((record) => Object.keys(record)));
  if (!fields.has(data.key)) return context.complain(['key'], 'is no field of the file');
  for (const [column, field] of Object.entries(data.set))
    if (!fields.has(field)) return context.complain(['set', column], 'is no field of the file');
  const rows = new Map<string, Record<string, string | null>>();
  for (const record of records) {
    const key = record[data.key] ?? null;
    if (key === null) return context.complain(['file'], `has a record without ${data.key}`);
    if (rows.has(key)) return context.complain(['file'], `has two records with the same ${data.key}`);
    rows.set(key, record);
  }
  const { column, missing } = data;
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { ...lookup({ rows, column, set: new Map(Object.entries(data.set)), missing }), digest };
}

/** Null where it is in another encoding: values would become others. */
function decoded(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Scalars are the texts that stand there, but for null: as numbers 1.10 and 9007199254740993 would be others. */
const asWritten: SchemaOptions = { schema: 'failsafe', customTags: ['null'] };

/** Records of texts; null where the file is something else. */
function read(name: string, text: string): Record<string, string | null>[] | null {
  try {
    const parsed: unknown =
      extname(name).toLowerCase() === '.csv'
        ? parseCsv(text, { columns: true, bom: true })
        : parseYaml(text, asWritten);
    if (!Array.isArray(parsed)) return null;
    return parsed.map((record: unknown) => {
      if (typeof record !== 'object' || record === null || Array.isArray(record)) throw new TypeError('no record');
      return Object.fromEntries(Object.entries(record).map(([field, value]) => [field, asText(value)]));
    });
  } catch {
    return null;
  }
}

function asText(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === 'object') throw new TypeError('not a scalar');
  return String(value);
}
