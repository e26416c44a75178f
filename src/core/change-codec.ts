import { ABSENT, type Cell, type Row, UNCHANGED } from './cell.ts';
import type { Change, DdlChange, HeartbeatChange, SchemaChange, WatermarkChange } from './change.ts';
import { type ReplicaIdentity, type TableVersion, tableLabel } from './table.ts';

/** Of the layout below. Bytes of another version are refused, never guessed at. */
const version = 1;
/** The same layout, of a part that is `unchecked`: an engine that knows nothing of those refuses it. */
const uncheckedVersion = 2;

const tags = { null: 0, unchanged: 1, absent: 2, text: 3, bytes: 4 } as const;
const kinds = {
  insert: 1,
  update: 2,
  updateWithBefore: 3,
  delete: 4,
  truncate: 5,
  unmapped: 6,
  truncateShares: 7,
  unmappedMapped: 8,
} as const;
const identities: readonly ReplicaIdentity[] = ['default', 'index', 'full', 'nothing'];

/**
 * Changes as bytes, exactly: text and bytes are told apart, and so are NULL, UNCHANGED and ABSENT. Bytes and not text,
 * since a target database in another encoding could not hold every text of the source; and a row of any size takes its
 * own size once, where JSON would take several strings of it. The definitions of the tables come first, so that what
 * was encoded can be read without anything else. What is no change of rows (heartbeats, watermarks, announced definitions) is left out.
 */
export function encodeChanges(changes: readonly Change[], { unchecked = false } = {}): Buffer {
  const out = new Writer();
  const tables = new Map<TableVersion, number>();
  const body: (() => void)[] = [];
  const number = (table: TableVersion): number => {
    const known = tables.get(table);
    if (known !== undefined) return known;
    tables.set(table, tables.size);
    return tables.size - 1;
  };
  let count = 0;
  const tableList = (list: readonly TableVersion[]): (() => void) => {
    const numbers = list.map(number);
    return () => {
      out.size(numbers.length);
      for (const at of numbers) out.size(at);
    };
  };
  const add = (change: Change): void => {
    if (isOfNoRows(change)) return;
    if (change.kind === 'truncate') {
      const tableNumbers = tableList(change.tables);
      const shares = change.shares?.flatMap(({ table, source }) => [table, source]);
      const shareNumbers = shares === undefined ? null : tableList(shares);
      body.push(() => {
        out.byte(shareNumbers === null ? kinds.truncate : kinds.truncateShares);
        out.byte(change.restartIdentity ? 1 : 0);
        tableNumbers();
        shareNumbers?.();
      });
      return;
    }
    if (change.kind === 'unmapped') {
      const tableNumbers = tableList(change.tables);
      body.push(() => {
        out.byte(change.mapped === true ? kinds.unmappedMapped : kinds.unmapped);
        tableNumbers();
      });
      add(change.change);
      return;
    }
    const table = number(change.table);
    body.push(() => {
      const isFull = change.kind === 'update' && change.before !== null;
      out.byte(isFull ? kinds.updateWithBefore : kinds[change.kind]);
      out.size(table);
      if (change.kind !== 'insert' && change.before !== null) out.row(change.before);
      if (change.kind !== 'delete') out.row(change.after);
    });
  };
  for (const change of changes) {
    if (isOfNoRows(change)) continue;
    count++;
    add(change);
  }
  out.byte(unchecked ? uncheckedVersion : version);
  out.size(tables.size);
  for (const table of tables.keys()) out.text(JSON.stringify(table));
  out.size(count);
  for (const write of body) write();
  return out.bytes();
}

function isOfNoRows(change: Change): change is SchemaChange | DdlChange | HeartbeatChange | WatermarkChange {
  const { kind } = change;
  return kind === 'heartbeat' || kind === 'watermark' || kind === 'schemaChange' || kind === 'ddl';
}

/** Whether they are of a part that is `unchecked` (TransactionPart). */
export function areUnchecked(bytes: Uint8Array): boolean {
  return bytes[0] === uncheckedVersion;
}

/** Reads what `encodeChanges` wrote. One for all pieces of a transaction: equal definitions become one object. */
export class ChangeDecoder {
  readonly #tables = new Map<string, TableVersion>();

  /** Throws RangeError where the bytes are of another version, or cut off. */
  decode(bytes: Uint8Array): Change[] {
    const input = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const found = input.byte();
    if (found !== version && found !== uncheckedVersion)
      throw new RangeError(`stored changes have version ${found}, this engine reads ${version}`);
    const tables = Array.from({ length: input.size() }, () => this.#table(input.text()));
    const table = (): TableVersion => {
      const at = tables[input.size()];
      if (at === undefined) throw new RangeError('a change of a table that is not described');
      return at;
    };
    const read = (): Change => {
      const kind = input.byte();
      if (kind === kinds.unmapped || kind === kinds.unmappedMapped) {
        const targets = Array.from({ length: input.size() }, table);
        const change = read();
        if (change.kind === 'unmapped' || isOfNoRows(change)) throw new RangeError('an unmapped change of no rows');
        return { kind: 'unmapped', change, tables: targets, ...(kind === kinds.unmappedMapped && { mapped: true }) };
      }
      if (kind === kinds.truncate || kind === kinds.truncateShares) {
        const restartIdentity = input.byte() === 1;
        const truncated = Array.from({ length: input.size() }, table);
        if (kind === kinds.truncate) return { kind: 'truncate', restartIdentity, tables: truncated };
        const shares = Array.from({ length: input.size() / 2 }, () => ({ table: table(), source: table() }));
        return { kind: 'truncate', restartIdentity, tables: truncated, shares };
      }
      const of = table();
      const columns = of.columns.length;
      switch (kind) {
        case kinds.insert:
          return { kind: 'insert', table: of, after: input.row(columns) };
        case kinds.delete:
          return { kind: 'delete', table: of, before: input.row(columns) };
        case kinds.update:
          return { kind: 'update', table: of, before: null, after: input.row(columns) };
        case kinds.updateWithBefore:
          return { kind: 'update', table: of, before: input.row(columns), after: input.row(columns) };
        default:
          throw new RangeError(`unknown kind of change ${kind}`);
      }
    };
    const changes = Array.from({ length: input.size() }, read);
    input.end();
    return changes;
  }

  #table(text: string): TableVersion {
    const known = this.#tables.get(text);
    if (known !== undefined) return known;
    const table = JSON.parse(text) as TableVersion;
    if (!identities.includes(table.identity)) throw new RangeError(`unknown identity of ${tableLabel(table)}`);
    this.#tables.set(text, table);
    return table;
  }
}

/** Bytes that grow. A large cell is kept as a piece of its own: it is copied once, at the end. */
class Writer {
  #pieces: Buffer[] = [];
  #current = Buffer.allocUnsafe(16_384);
  #at = 0;

  byte(value: number): void {
    this.#room(1);
    this.#current[this.#at++] = value;
  }

  size(value: number): void {
    this.#room(4);
    this.#at = this.#current.writeUInt32BE(value, this.#at);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.size(length);
    if (length > 4_096) {
      this.#piece(Buffer.from(value));
      return;
    }
    this.#room(length);
    this.#at += this.#current.write(value, this.#at);
  }

  row(cells: Row): void {
    for (const cell of cells) this.#cell(cell);
  }

  bytes(): Buffer {
    return Buffer.concat([...this.#pieces, this.#current.subarray(0, this.#at)]);
  }

  #cell(cell: Cell): void {
    if (cell === null) this.byte(tags.null);
    else if (cell === UNCHANGED) this.byte(tags.unchanged);
    else if (cell === ABSENT) this.byte(tags.absent);
    else if (typeof cell === 'string') {
      this.byte(tags.text);
      this.text(cell);
    } else {
      this.byte(tags.bytes);
      this.size(cell.length);
      this.#piece(cell);
    }
  }

  #piece(bytes: Buffer): void {
    this.#pieces.push(this.#current.subarray(0, this.#at), bytes);
    this.#current = Buffer.allocUnsafe(16_384);
    this.#at = 0;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#current.length) return;
    this.#pieces.push(this.#current.subarray(0, this.#at));
    this.#current = Buffer.allocUnsafe(Math.max(16_384, bytes));
    this.#at = 0;
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  size(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  text(): string {
    return this.#slice().toString('utf8');
  }

  row(columns: number): Row {
    const row: Row = new Array(columns);
    for (let at = 0; at < columns; at++) row[at] = this.#cell();
    return row;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('bytes are left over after the last change');
  }

  #cell(): Cell {
    const tag = this.byte();
    switch (tag) {
      case tags.null:
        return null;
      case tags.unchanged:
        return UNCHANGED;
      case tags.absent:
        return ABSENT;
      case tags.text:
        return this.text();
      case tags.bytes:
        return Buffer.from(this.#slice());
      default:
        throw new RangeError(`unknown kind of cell ${tag}`);
    }
  }

  #slice(): Buffer {
    const length = this.size();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('stored changes are cut off');
    const slice = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return slice;
  }
}
