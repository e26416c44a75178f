import type { DemoSession } from '../scenario.ts';
import type { TableVerdict } from '../verdict.ts';
import { rentalTables } from './rental-schema.ts';

/** How a column's value is shown by both servers, each in its own words: in a text that is the same for the same value. */
type Show = 'number' | 'text' | 'bytes' | 'bits' | 'time' | 'daytime' | 'date' | 'json' | 'float' | 'double' | 'place';

/** Columns by table, those of the key first; without one all of a row's. `!` stands behind the key. */
const columns: Readonly<Record<string, string>> = {
  language: 'code:text ! name:text',
  country: 'id:number ! name:text',
  city: 'id:number ! country_id:number name:text',
  address: 'id:number ! street:text district:text city_id:number postcode:text place:place',
  store: 'id:number ! address_id:number opens:daytime closes:daytime open_days:bits',
  staff: 'id:number ! store_id:number name:text active:number secret:bytes picture:bytes salary:number',
  customer:
    'id:number ! store_id:number address_id:number first_name:text last_name:text email:text token:bytes preferences:json points:number created:time changed:time',
  category: 'id:number ! name:text',
  actor: 'id:number ! first_name:text last_name:text born:date',
  film: 'id:number ! title:text description:text released:number language:text minutes:number rate:number week_rate:number score:float worth:double rating:text features:text details:json',
  film_actor: 'film_id:number actor_id:number ! role:text',
  film_category: 'film_id:number category_id:number !',
  film_still: 'film_id:number number:number ! image:bytes note:text',
  inventory: 'id:number ! film_id:number store_id:number lent:number',
  price: 'rating:text valid_from:date ! factor:number',
  rental: 'id:number ! rented:time inventory_id:number customer_id:number returned:time staff_id:number',
  payment: 'id:number ! rental_id:number customer_id:number amount:number paid:time',
  account: 'id:number ! owner:text balance:number',
  journal: 'id:number ! kind:text at:time',
  audit: '! at:time said:text',
};

const mysqlShows: Readonly<Record<Show, (column: string) => string>> = {
  number: (c) => c,
  text: (c) => `HEX(CONVERT(${c} USING utf8mb4))`,
  bytes: (c) => `HEX(${c})`,
  bits: (c) => `LPAD(BIN(${c}), 7, '0')`,
  time: (c) => `DATE_FORMAT(${c}, '%Y-%m-%d %H:%i:%s.%f')`,
  daytime: (c) => `TIME_FORMAT(${c}, '%H:%i:%s.%f')`,
  date: (c) => `DATE_FORMAT(${c}, '%Y-%m-%d')`,
  json: (c) => `CAST(${c} AS char)`,
  // As a double: what the server shows of a float has six digits.
  float: (c) => `(${c} + 0e0)`,
  double: (c) => c,
  place: (c) => `HEX(ST_AsBinary(${c}))`,
};

const postgresShows: Readonly<Record<Show, (column: string) => string>> = {
  number: (c) => `${c}::text`,
  text: (c) => `upper(encode(convert_to(${c}::text, 'UTF8'), 'hex'))`,
  bytes: (c) => `upper(encode(${c}, 'hex'))`,
  bits: (c) => `${c}::text`,
  time: (c) => `to_char(${c}, 'YYYY-MM-DD HH24:MI:SS.US')`,
  daytime: (c) => `to_char('2000-01-01'::date + ${c}, 'HH24:MI:SS.US')`,
  date: (c) => `to_char(${c}, 'YYYY-MM-DD')`,
  json: (c) => `${c}::text`,
  float: (c) => `${c}::float8::text`,
  double: (c) => `${c}::text`,
  // Behind the SRID's four bytes.
  place: (c) => `upper(encode(substring(${c} FROM 5), 'hex'))`,
};

interface Compared {
  readonly name: string;
  readonly key: number;
  readonly columns: readonly { readonly name: string; readonly show: Show }[];
}

function tableOf(name: string): Compared {
  const words = (columns[name] ?? '').split(' ');
  const key = words.indexOf('!');
  const list = words
    .filter((word) => word !== '!')
    .map((word) => {
      const [column = '', show = 'text'] = word.split(':');
      return { name: column, show: show as Show };
    });
  return { name, key, columns: list };
}

/**
 * Reads every row of both sides. Where a table has a key rows are paired by it, else they are counted. It shares nothing with the engine: not its queries,
 * nor its idea of a value; each server shows its values in its own words.
 */
export async function compareRental(
  source: DemoSession,
  target: DemoSession,
  there: 'copy' | 'back' = 'copy',
): Promise<TableVerdict[]> {
  const verdicts: TableVerdict[] = [];
  if (there === 'copy') await target.query("SET timezone = 'UTC'; SET extra_float_digits = 1");
  const [here, far] = [
    { session: source, ...words.source },
    { session: target, ...words[there] },
  ];
  for (const name of rentalTables) verdicts.push(await compareTable(tableOf(name), here, far));
  return verdicts;
}

interface Words {
  readonly quote: string;
  readonly shows: Readonly<Record<Show, (column: string) => string>>;
}

/** `back`: what MySQL has again of what went to PostgreSQL, where a place is bytes. */
const words: Readonly<Record<'source' | 'copy' | 'back', Words>> = {
  source: { quote: '`', shows: mysqlShows },
  copy: { quote: '"', shows: postgresShows },
  back: { quote: '`', shows: { ...mysqlShows, place: (c) => `HEX(SUBSTRING(${c}, 5))` } },
};

interface Side extends Words {
  readonly session: DemoSession;
}

/** Rows of one look. */
const batch = 20_000;

async function compareTable(table: Compared, source: Side, target: Side): Promise<TableVerdict> {
  const [theirs, ours] = [await rowsByKey(table, source), await rowsByKey(table, target)];
  const counts = { rows: 0, equal: 0, missing: 0, extra: 0, different: 0 };
  for (const [key, row] of theirs) {
    counts.rows += row.count;
    const there = ours.get(key);
    if (there === undefined) counts.missing += row.count;
    else if (there.hash !== row.hash) counts.different += row.count;
    else {
      counts.equal += Math.min(row.count, there.count);
      counts.missing += Math.max(0, row.count - there.count);
      counts.extra += Math.max(0, there.count - row.count);
    }
  }
  for (const [key, { count }] of ours) if (!theirs.has(key)) counts.extra += count;
  return { name: `rental.${table.name}`, ...counts };
}

interface Found {
  readonly hash: string;
  count: number;
}

async function rowsByKey(
  { name, key, columns: all }: Compared,
  { session, quote, shows }: Side,
): Promise<Map<string, Found>> {
  const { createHash } = await import('node:crypto');
  const wanted = all
    .map((column, at) => `${shows[column.show](`${quote}${column.name}${quote}`)} AS c${at}`)
    .join(', ');
  // What is large is not sorted by, where a key tells rows apart.
  const order = Array.from({ length: key > 0 ? key : all.length }, (_, at) => at + 1).join(', ');
  const found = new Map<string, Found>();
  for (let from = 0; ; from += batch) {
    const { rows } = await session.query(
      `SELECT ${wanted} FROM rental.${name} ORDER BY ${order} LIMIT ${batch} OFFSET ${from}`,
    );
    for (const row of rows) {
      const values = all.map(({ show }, at) => plain(row[`c${at}`], show));
      const isKeyed = key > 0;
      const label = JSON.stringify(isKeyed ? values.slice(0, key) : values);
      const hash = createHash('sha256').update(JSON.stringify(values)).digest('base64');
      const there = found.get(label);
      if (there === undefined) found.set(label, { hash, count: 1 });
      else there.count++;
    }
    if (rows.length < batch) return found;
  }
}

/** Numbers by their value, documents by what they mean. */
function plain(value: unknown, show: Show): unknown {
  if (value === null || value === undefined) return null;
  const text = String(value);
  if (show === 'json') return sorted(JSON.parse(text));
  if (show === 'float') return Math.fround(Number(text));
  if (show === 'double') return Number(text);
  return show === 'number' ? text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') : text;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
