import type { MysqlSession } from '../connect.ts';
import { type CollationRow, type Collations, collationsOf } from './binlog/values/charsets.ts';
import { type DecodeText, knownCharsets, multiByte, singleByte } from './binlog/values/text-decoder.ts';

/**
 * The collations of the server, and how text in each charset is read. What a byte means in one is asked of the server itself, once a session: tables
 * of other makers differ from it in places (a backslash of Shift JIS, the unused bytes of latin1).
 */
export async function readCollations(session: MysqlSession): Promise<Collations> {
  const rows = await session.query(
    'SELECT c.id, c.collation_name, c.character_set_name, s.maxlen FROM information_schema.collations c ' +
      'JOIN information_schema.character_sets s ON s.character_set_name = c.character_set_name WHERE c.id IS NOT NULL',
  );
  const collations = rows.map(
    ([id, name, charset, maxBytes]): CollationRow => ({
      id: Number(id),
      name: String(name),
      charset: String(charset),
      maxBytes: Number(maxBytes),
    }),
  );
  const more = await readMoreIds(session, collations);
  const tables = new Map<string, DecodeText>();
  const used = await readUsedCharsets(session);
  for (const [charset, maxBytes] of new Map([...collations, ...more].map((row) => [row.charset, row.maxBytes]))) {
    if (knownCharsets.has(charset) || charset === 'binary' || !(used.has(charset) || wanted.has(charset))) continue;
    const decode = await readTable(session, charset, maxBytes);
    if (decode !== null) tables.set(charset, decode);
  }
  return collationsOf([...collations, ...more], tables);
}

/** Charsets that no column had any more, and rows in the binlog still have: the next session asks for them, too. */
const wanted = new Set<string>();

/** True the first time: a new session will know how text in it is read. */
export function wantCharset(charset: string): boolean {
  const isNew = !wanted.has(charset) && (singleByteCharset.test(charset) || multiByteLeads[charset] !== undefined);
  wanted.add(charset);
  return isNew;
}

const singleByteCharset = /^(?!gb18030$)[a-z0-9]+$/;

/** A table of some charsets takes the server a moment: only of those is one made that a column has. */
async function readUsedCharsets(session: MysqlSession): Promise<ReadonlySet<string>> {
  const rows = await session.query(
    "SELECT DISTINCT character_set_name FROM information_schema.columns WHERE character_set_name IS NOT NULL AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')",
  );
  return new Set(rows.map(([charset]) => String(charset)));
}

/** MariaDB lists collations that several charsets share without an id of their own, and the pairs in another table. */
async function readMoreIds(session: MysqlSession, known: readonly CollationRow[]): Promise<readonly CollationRow[]> {
  const [found] = await session.query(
    "SELECT 1 FROM information_schema.columns WHERE table_schema = 'information_schema' AND table_name = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND column_name = 'ID'",
  );
  if (found === undefined) return [];
  const maxBytes = new Map(known.map((row) => [row.charset, row.maxBytes]));
  const rows = await session.query(
    'SELECT id, full_collation_name, character_set_name FROM information_schema.collation_character_set_applicability WHERE id IS NOT NULL',
  );
  return rows.map(([id, name, charset]) => ({
    id: Number(id),
    name: String(name),
    charset: String(charset),
    maxBytes: maxBytes.get(String(charset)) ?? 4,
  }));
}

/** First bytes of characters of more than one byte, and what may follow: ranges. */
interface Leads {
  readonly two: readonly (readonly [number, number])[];
  readonly trail: readonly [number, number];
  /** Before characters of three bytes. */
  readonly three?: number;
}

const multiByteLeads: Readonly<Record<string, Leads>> = {
  big5: { two: [[0xa1, 0xf9]], trail: [0x40, 0xfe] },
  cp932: {
    two: [
      [0x81, 0x9f],
      [0xe0, 0xfc],
    ],
    trail: [0x40, 0xfc],
  },
  sjis: {
    two: [
      [0x81, 0x9f],
      [0xe0, 0xfc],
    ],
    trail: [0x40, 0xfc],
  },
  euckr: { two: [[0x81, 0xfe]], trail: [0x41, 0xfe] },
  gb2312: { two: [[0xa1, 0xfe]], trail: [0xa1, 0xfe] },
  gbk: { two: [[0x81, 0xfe]], trail: [0x40, 0xfe] },
  ujis: {
    two: [
      [0x8e, 0x8e],
      [0xa1, 0xfe],
    ],
    trail: [0xa1, 0xfe],
    three: 0x8f,
  },
  eucjpms: {
    two: [
      [0x8e, 0x8e],
      [0xa1, 0xfe],
    ],
    trail: [0xa1, 0xfe],
    three: 0x8f,
  },
};

function* codesOf({ two, trail: [low, high], three }: Leads): Generator<number[]> {
  for (let byte = 0; byte < 256; byte++) yield [byte];
  for (const [first, last] of two)
    for (let lead = first; lead <= last; lead++) for (let trail = low; trail <= high; trail++) yield [lead, trail];
  if (three === undefined) return;
  for (let second = low; second <= high; second++)
    for (let trail = low; trail <= high; trail++) yield [three, second, trail];
}

const perQuery = 8_192;

/** The characters of a charset by their bytes, each asked for by itself: one that is none would spoil others beside it. */
async function readTable(session: MysqlSession, charset: string, maxBytes: number): Promise<DecodeText | null> {
  const leads = multiByteLeads[charset];
  if (maxBytes > 1 && leads === undefined) return null;
  const codes = [...codesOf(leads ?? { two: [], trail: [0, 0] })];
  const table = new Map<number, string>();
  for (let at = 0; at < codes.length; at += perQuery) {
    const some = codes.slice(at, at + perQuery).map((bytes) => Buffer.from(bytes).toString('hex'));
    const rows = await session.query(
      `SELECT code, HEX(CONVERT(CONVERT(UNHEX(code) USING ${charset}) USING utf32)) FROM ` +
        "JSON_TABLE(?, '$[*]' COLUMNS (code VARCHAR(6) CHARACTER SET ascii PATH '$')) AS codes",
      [JSON.stringify(some)],
    );
    for (const [code, utf32] of rows) addCharacter(table, String(code), utf32 ?? null);
  }
  if (maxBytes > 1) return multiByte(table);
  return singleByte(Array.from({ length: 256 }, (_, byte) => table.get(byte + 2 ** 32)));
}

/** What the charset has no character for is NULL, or comes as a question mark. */
function addCharacter(table: Map<number, string>, code: string, utf32: string | null): void {
  if (utf32?.length !== 8) return;
  const character = String.fromCodePoint(Number.parseInt(utf32, 16));
  if (character === '?' && code !== '3f') return;
  table.set(Number.parseInt(code, 16) + (code.length / 2) * 2 ** 32, character);
}
