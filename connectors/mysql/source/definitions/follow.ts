import type { ColumnAlteration, ToldCommand, WrittenColumn } from '../../../../src/core/column-alteration.ts';
import type { Followed, FollowOptions } from '../../../../src/core/source.ts';
import type { Column } from '../../../../src/core/table.ts';
import type { TableDefinition } from '../../../../src/core/table-facts.ts';
import { charsetOf, parseType } from '../../target/column-kind.ts';
import { typeFits } from '../../target/type-fit.ts';
import { existingValue } from './existing-value.ts';
import { classOf } from './read-column.ts';

/**
 * What commands make of a definition, as their text says, proven by what the server describes: the table of the rows that come behind them, or the
 * catalogue, where that shows the same. The text alone is not believed, since one that is misread could drop a column; nor is a description alone, since it
 * does not tell a column that was renamed from one that was dropped and another that was added.
 *
 * Columns get ids of their own here: those that the catalogue numbered when the table was met first, and each that is added the next one.
 */
export function follow(before: TableDefinition, options: FollowOptions): Followed {
  const { told, excluded } = options;
  const model = new Model(before, excluded);
  for (const command of told) model.apply(command);
  const refused = model.refused;
  if (refused !== null) return unfollowed(refused);
  const shape = { columns: options.announced.columns, generated: options.announced.generated ?? [] };
  const mismatch = model.mismatch(shape) ?? model.further(shape, options.isCatalogue);
  if (mismatch !== null) {
    // The next command, or the next row, proves it: but for what no row could.
    if (options.isCatalogue) {
      const isTold = told.some((command) => command.length > 0);
      const hopeless = isTold ? model.hopeless(shape) : null;
      return { ...unfollowed(hopeless), waits: isTold && hopeless === null };
    }
    return unfollowed(`its rows come with another definition than the commands of the binlog make: ${mismatch}`);
  }
  return model.followed(shape);
}

const none: ReadonlyMap<number, string | null> = new Map();

function unfollowed(unproven: string | null): Followed {
  return { definition: null, changed: unproven !== null, unproven, existing: none, waits: false };
}

interface Shape {
  readonly columns: readonly Column[];
  readonly generated: readonly string[];
}

interface ModelColumn {
  readonly id: number;
  name: string;
  /** As it was before; null of one that was added. */
  readonly was: TableDefinition['columns'][number] | null;
  /** How it was written since, each time. */
  readonly written: WrittenColumn[];
}

class Model {
  readonly #before: TableDefinition;
  readonly #excluded: ReadonlySet<string>;
  #columns: ModelColumn[];
  #last: number;
  refused: string | null = null;

  constructor(before: TableDefinition, excluded: ReadonlySet<string>) {
    this.#before = before;
    this.#excluded = excluded;
    this.#columns = before.columns.map((was) => ({ id: was.id, name: was.name, was, written: [] }));
    this.#last = Math.max(before.lastColumn, 0, ...before.columns.map(({ id }) => id));
  }

  /** All parts of a command mean the names from before it. */
  apply(command: ToldCommand): void {
    const columns = [...this.#columns];
    const find = (name: string): ModelColumn | null => columns.find((column) => sameName(column.name, name)) ?? null;
    const names = new Map<ModelColumn, string>();
    const touched = new Set<ModelColumn>();
    for (const part of command) {
      if (this.refused !== null) return;
      if (part.kind === 'refused') this.refused = part.why;
      else if (part.kind === 'add') this.#add(part, find(part.name) !== null);
      else {
        const column = find(part.name);
        if (column === null) this.#missing(part);
        else if (touched.has(column)) this.refused = `a command names column ${column.name} twice`;
        else {
          touched.add(column);
          if (part.kind === 'drop') this.#columns = this.#columns.filter((other) => other !== column);
          else names.set(column, part.to);
          if (part.kind === 'modify') column.written.push(part.column);
        }
      }
    }
    for (const [column, name] of names) column.name = name;
    const lower = this.#columns.map(({ name }) => name.toLowerCase());
    if (new Set(lower).size < lower.length) this.refused ??= 'a command would make two columns of one name';
  }

  #add({ name, column, optional }: Extract<ColumnAlteration, { kind: 'add' }>, isThere: boolean): void {
    const isGenerated = this.#before.generated.some((other) => sameName(other.name, name));
    const isAdded = this.#columns.some((other) => other.was === null && sameName(other.name, name));
    if (optional && (isThere || isGenerated || isAdded)) return;
    this.#columns.push({ id: ++this.#last, name, was: null, written: [column] });
  }

  #missing(part: Exclude<ColumnAlteration, { kind: 'add' | 'refused' }>): void {
    const { name, optional } = part;
    if (this.#before.generated.some((other) => sameName(other.name, name)))
      this.refused = `generated column ${name} was altered`;
    else if (!optional) this.refused = `a command is about column ${name}, which is not known`;
  }

  /** Why the server's description is not what the commands make; null where it is. */
  mismatch({ columns, generated }: Shape): string | null {
    const names = new Set(columns.map(({ name }) => name));
    const missing = this.#columns.find(({ name }) => !names.has(name));
    if (missing !== undefined) return `column ${missing.name} is not there`;
    const further = columns.find(({ name }) => !this.#columns.some((column) => column.name === name));
    if (further !== undefined) return `column ${further.name} is there`;
    const wanted = this.#before.generated.map(({ name }) => name).sort();
    if (wanted.join('\0') !== generated.toSorted().join('\0')) return 'its generated columns are others';
    for (const { name, type, key } of columns) {
      const { was = null, written = [] } = this.#columns.find((column) => column.name === name) ?? {};
      const last = written.at(-1);
      if (key !== (was?.key ?? false)) return `column ${name} is ${key ? '' : 'no longer '}part of the key`;
      if (last === undefined ? was?.type !== type : !isOfClass(last, type)) return `column ${name} is of type ${type}`;
    }
    return null;
  }

  /** Why the description may be of what comes behind the commands, though it has what they make; null where each type is as it was written. */
  further({ columns }: Shape, isCatalogue: boolean): string | null {
    for (const { name, type } of columns) {
      const { was = null, written = [] } = this.#columns.find((column) => column.name === name) ?? {};
      const last = written.at(-1);
      if (last === undefined || this.#excluded.has(name)) continue;
      const isWritten = isCatalogue
        ? isAsWritten(last, type, was?.type ?? null)
        : was === null || mayBeWritten(last, type);
      if (!isWritten) return `column ${name} is of type ${type}`;
    }
    return null;
  }

  /**
   * Why no row behind the commands would prove them. `columns`: the catalogue's, which are what they made, or what later ones have made of that: of these
   * types nothing can be said.
   */
  hopeless({ columns }: Shape): string | null {
    for (const model of this.#columns) {
      if (this.#excluded.has(model.name)) continue;
      const last = model.written.at(-1);
      const found = columns.find(
        ({ name, type }) =>
          last !== undefined && name === model.name && isOfClass(last, type) && mayBeWritten(last, type),
      );
      const why =
        this.#begins(model) ??
        (model.was === null ? whyNotAdded(model) : whyWritten(model)) ??
        (found === undefined ? null : whyRewritten(model, found));
      if (why !== null) return why;
    }
    return null;
  }

  /** The definition that the server's description has been found to be. */
  followed({ columns }: Shape): Followed {
    const before = this.#before;
    const existing = new Map<number, string | null>();
    let unproven: string | null = null;
    const known = columns.map((column) => {
      const model = this.#columns.find(({ name }) => name === column.name) as ModelColumn;
      if (!this.#excluded.has(column.name)) {
        unproven ??= this.#begins(model);
        unproven ??= model.was === null ? addedValue(model, column, existing) : whyRewritten(model, column);
      }
      const { name, type, modifier, key } = column;
      return { name, type, modifier, key, id: model.id, stamp: stampOf(model) };
    });
    const names = new Set(known.map(({ name }) => name));
    const ids = new Set(known.map(({ id }) => id));
    const gone = before.columns.filter(({ id, name }) => this.#excluded.has(name) && !ids.has(id) && !names.has(name));
    const { told: _, toldTo: __, takenAt: ___, halted: ____, ...rest } = before;
    const changed =
      known.length !== before.columns.length ||
      known.some(({ id, name, type, key }, at) => {
        const was = before.columns[at];
        return was === undefined || was.id !== id || was.name !== name || was.type !== type || was.key !== key;
      });
    const definition: TableDefinition = {
      ...rest,
      columns: known,
      lastColumn: this.#last,
      gone: [...before.gone.filter((old) => !names.has(old)), ...gone.map(({ name }) => name)],
      ignored: before.ignored.filter((name) => names.has(name)),
    };
    return { definition, changed, unproven, existing, waits: false };
  }

  /** Why a column that did not travel can't under its new name; null where it did. */
  #begins({ was, name }: ModelColumn): string | null {
    if (was === null || !this.#excluded.has(was.name)) return null;
    return `column ${was.name}, which does not travel, was renamed to ${name}, which does: what its rows have in it was never sent`;
  }
}

function sameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}

function isOfClass({ type }: WrittenColumn, found: string): boolean {
  const { base } = parseType(found);
  const of = classOf(base);
  // MariaDB's JSON is a text; a NULL, an ENUM or a BIT is nothing else.
  return of === type || (type === 'json' && of === 'string');
}

/** Nothing but what is written. A text that is given no charset takes the table's, whatever it had before. What is added has no values of its own yet. */
function isAsWritten({ type, spelled, collation }: WrittenColumn, found: string, was: string | null): boolean {
  if (spelled === null) return was === null;
  if (type === 'json' && parseType(found).base !== 'json') return was === null || was === found;
  const { collation: collated } = parseType(found);
  if (collated === null) return found === spelled;
  if (found !== `${spelled} collate ${collated}`) return false;
  if (collation === null) return was === null;
  return isOfCharset(collation, collated);
}

/** The type of rows, as far as the text tells it. */
function mayBeWritten({ type, spelled, collation }: WrittenColumn, found: string): boolean {
  if (spelled === null || type === 'json') return true;
  const { collation: collated } = parseType(found);
  if (collated === null) return found === spelled;
  if (found !== `${spelled} collate ${collated}`) return false;
  return collation === null || tableCollation.test(collation) || isOfCharset(collation, collated);
}

/** Which collation, and charset, it is depends on the table. */
const tableCollation = /^(?:default|uca1400_.*)$/;

/** `said`: a charset, or a collation by any of its names. */
function isOfCharset(said: string, collated: string): boolean {
  if (!said.includes('_')) return charsetOf(said) === charsetOf(collated);
  return said.replace(/^utf8_/, 'utf8mb3_') === collated;
}

/** Why what rows have in an added column can't be known, whatever type it is found to have. */
function whyNotAdded({ name, written }: Pick<ModelColumn, 'name' | 'written'>): string | null {
  const [first] = written;
  if (written.length > 1) return `column ${name} was added, and altered before a row came with it`;
  if (first === undefined || first.obstacle === null) return null;
  return `column ${name} was added, and ${first.obstacle}`;
}

/** Why what rows have in it is not known; else that is put down. */
function addedValue(
  { id, name, written }: ModelColumn,
  { type }: Column,
  existing: Map<number, string | null>,
): string | null {
  const why = whyNotAdded({ name, written });
  const [first] = written;
  if (why !== null || first === undefined) return why;
  const value = existingValue(first, type);
  if (value === undefined)
    return `column ${name} was added, and what it gives to the rows that were there is not told by a constant that is carried`;
  existing.set(id, value);
  return null;
}

/** Why values may have become others, without a row that tells, whatever type it is found to have. */
function whyWritten({ was, name, written }: ModelColumn): string | null {
  if (was === null) return null;
  const { nullable, counts } = stampedFacts(was.stamp);
  for (const column of written) {
    if (column.obstacle !== null) return `column ${name} was altered, and ${column.obstacle}`;
    if (column.counts && !counts)
      return `column ${name} was made to count by itself, which numbers rows that have a zero`;
    if (mayBeNotNull(column) && nullable !== false)
      return `column ${name} was made NOT NULL, which gives rows without a value another one`;
  }
  if (written.length > 1) return `column ${name} was altered more than once before a row came with it`;
  return null;
}

/** The same, where it is found to be of this type. */
function whyRewritten(model: ModelColumn, { type }: Column): string | null {
  const { was, name } = model;
  const why = whyWritten(model);
  if (why !== null || was === null) return why;
  const members = parseType(type).members.map((member) => member.toLowerCase());
  if (model.written.length > 0 && new Set(members).size < members.length)
    return `column ${name} has members that are the same but for their case, and its values may have become another of them`;
  if (typeFits(was.type, type)) return null;
  return `column ${name} was ${was.type} and is ${type}, which does not hold every value as it was`;
}

/** Of some servers a TIMESTAMP is NOT NULL where nothing is said. */
function mayBeNotNull({ type, notNull, isNull }: WrittenColumn): boolean {
  return notNull || (type === 'timestamp' && !isNull);
}

interface Stamped {
  /** Undefined where it is not known. */
  readonly nullable: boolean | undefined;
  readonly counts: boolean;
}

/** As catalogue/table-facts.ts writes it. */
function stampedFacts(stamp: string): Stamped {
  const parts: unknown = stamp === '' ? [] : JSON.parse(stamp);
  const [, nullable, , counts] = Array.isArray(parts) ? (parts as unknown[]) : [];
  return { nullable: typeof nullable === 'boolean' ? nullable : undefined, counts: counts === 'auto_increment' };
}

/** By the text: the catalogue may be newer, and would hide what a later command does. */
function stampOf({ was, written }: ModelColumn): string {
  const last = written.at(-1);
  if (last === undefined) return was?.stamp ?? '';
  return JSON.stringify(['', !last.notNull, '', ...(last.counts ? ['auto_increment'] : [])]);
}
