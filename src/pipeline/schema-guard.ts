import { isDeepStrictEqual } from 'node:util';
import type { DdlChange, SchemaChange } from '../core/change.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { isMappedAsIs } from '../core/mapped-as-is.ts';
import { packedInserts } from '../core/packed-part.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore, StoredTable } from '../core/route-state-store.ts';
import type { SchemaStep } from '../core/schema-step.ts';
import type { Followed, Source } from '../core/source.ts';
import { type TableVersion, tableLabel, tableOfLabel } from '../core/table.ts';
import type { HaltedLook, LabelFacts, Lack, TableDefinition, TableFacts, UniqueKeyFacts } from '../core/table-facts.ts';
import type { Target } from '../core/target.ts';
import type { TransactionPart } from '../core/transaction.ts';
import { isOfCatalogue } from './assign-columns.ts';
import { isPrintOf, printOf } from './catalogue-print.ts';
import { IgnoredColumns } from './ignored-columns.ts';
import {
  definitionOf,
  type Judgement,
  judgeDefinition,
  namedKeys,
  sameDefinition,
  versionOf,
} from './judge-definition.ts';
import type { TableBinding } from './mapping/table-binding.ts';
import { readColumns, replacedUnderReaders, retypedUnderReaders, usedColumns } from './replaced-readers.ts';
import { type Identified, madeOtherwise, schemaSteps } from './schema-steps.ts';
import { storedTable, type TableMapper } from './table-mapper.ts';
import {
  unloggedChange,
  unpublishedBefore,
  unpublishedChange,
  untoldChange,
  untoldOf,
  withUntold,
} from './untold-changes.ts';

export interface SchemaGuardOptions {
  readonly route: Pick<RouteDefinition, 'name' | 'tables' | 'schemaChanges' | 'ddl' | 'allow'>;
  readonly mapper: TableMapper;
  readonly store: Pick<RouteStateStore, 'setHalted'>;
  readonly source: Pick<
    Source,
    'facts' | 'expectFacts' | 'catalogue' | 'filled' | 'settled' | 'precedes' | 'order' | 'follow'
  >;
  readonly target: Pick<Target, 'columns'>;
  readonly logger: Logger;
  /** What was stored about the tables when the route last ran. */
  readonly stored: readonly StoredTable[];
  /** A person has accepted what changed at the source up to here. */
  readonly acceptedTo: Position | null;
  /** A command has renamed a table of the route, or dropped it (null): what comes behind it goes by the new name. */
  onMoved?(from: string, to: string | null): void;
  /** Commands that the target goes without, kept over sessions. */
  readonly leftOut?: Set<string>;
}

/** Of more it is not asked before they are met: the answer is large, and few of them may come. */
const mostExpected = 200;

/**
 * Compares each definition that the queue announces with the one before it, which is stored at the target with the rows: also
 * a change that happened while the route was away is met where it is in the queue. What the queue does not tell, the catalogue has
 * to prove; what it can't prove halts, whatever the route does about changes otherwise.
 *
 * halt: every change halts. evolve: the change goes to the target in the transaction of the rows around it. ignore: the
 * columns that both sides have go on. `start --accept-schema-change` accepts what was committed at the source before it, and
 * nothing later: the target is taken to be what it should be.
 */
export class SchemaGuard {
  readonly #options: SchemaGuardOptions;
  readonly #stored: Map<string, StoredTable>;
  /** Tables that the catalogue shows as touched, with what it says as soon as it was asked. */
  readonly #touched = new Map<string, TableFacts | null>();
  /** How often a look has shown a table as touched. */
  readonly #touches = new Map<string, number>();
  readonly #leftOut: Set<string>;
  readonly #ignored: IgnoredColumns;
  /** What the catalogue says of all tables was asked before the first was met. */
  #expectsAll = false;

  constructor(options: SchemaGuardOptions) {
    this.#options = options;
    this.#leftOut = options.leftOut ?? new Set();
    this.#ignored = new IgnoredColumns(options);
    this.#stored = new Map(options.stored.map((table) => [table.source, table]));
    for (const { definition } of options.stored) if (definition !== null) options.mapper.adjust(definition, definition);
  }

  /** Columns that were added at the source and are left out, as schema.table.column, and commands. */
  get ignored(): readonly string[] {
    const columns = [...this.#stored.values()].flatMap(({ source, definition }) =>
      (definition?.ignored ?? []).map((name) => `${source}.${name}`),
    );
    return [...columns, ...this.#leftOut];
  }

  /** Before the first change: a session announces each table once, and a route of few tables soon meets all of them. */
  begin(): void {
    const known = [...this.#stored.values()].flatMap(({ definition }) => definition ?? []);
    this.#expectsAll = known.length <= mostExpected;
    // What a session before has left is of another time, and perhaps of another history.
    this.#options.source.expectFacts?.(this.#expectsAll ? known : []);
  }

  /** What these announce is met soon: the catalogue is asked once for what one by one would take as many answers. */
  expect(parts: readonly Pick<TransactionPart, 'changes'>[]): void {
    if (this.#expectsAll) return;
    const tables = new Map<string, TableVersion>();
    for (const part of parts.filter((each) => packedInserts(each) === null))
      for (const change of part.changes)
        if (change.kind === 'schemaChange') tables.set(tableLabel(change.to), change.to);
    if (tables.size > 1) this.#options.source.expectFacts?.([...tables.values()]);
  }

  /** A look at the catalogue shows that something about these tables may have changed, perhaps without a row to tell it. */
  touch(tables: readonly string[]): void {
    for (const table of tables) {
      this.#touched.set(table, null);
      this.#touches.set(table, (this.#touches.get(table) ?? 0) + 1);
    }
  }

  /** As the stream has it where it has got to; null of a table that is not known, or not by this name any more. */
  definition(label: string): TableDefinition | null {
    return this.#stored.get(label)?.definition ?? null;
  }

  get isTouched(): boolean {
    return this.#touched.size > 0;
  }

  /**
   * Called between two source transactions, where everything up to `reached` has been met. What the catalogue showed before that and the
   * queue has not announced came without a row: the changes that have to go before the next transaction. Throws (halt) as `meet` does.
   */
  async unannounced(reached: Position): Promise<SchemaChange[]> {
    const { source } = this.#options;
    const unread = [...this.#touched].flatMap(([label, facts]) => (facts === null ? [label] : []));
    if (unread.length > 0) await this.#read(unread);
    const changes: SchemaChange[] = [];
    for (const [label, facts] of this.#touched) {
      if (facts === null || !source.order.covers(reached, facts.position)) continue;
      this.#touched.delete(label);
      const change = await this.#look(label, facts, reached);
      if (change !== null) changes.push(change);
    }
    return changes;
  }

  /**
   * Called before the command goes to the target; null where nothing of it does. What it makes of its table comes with it, and is what the queue goes on
   * with. One that a person has accepted was carried out by hand.
   */
  command(change: DdlChange): DdlChange | null {
    const { acceptedTo, source, logger } = this.#options;
    const { tag, object, at } = change;
    if (change.leftOut) {
      this.#leaveOut(change);
      return null;
    }
    if (!change.applied && acceptedTo !== null && source.order.covers(acceptedTo, at)) {
      logger.info({ tag, object, position: at }, 'command left out, accepted as carried out by hand');
      change.applied = true;
    }
    if (change.obstacle === null || change.applied) this.#define(change);
    return change;
  }

  #leaveOut({ tag, object, at, applied }: DdlChange): void {
    const text = `${tag} ${object}`;
    if (applied || this.#leftOut.has(text)) return;
    if (this.#leftOut.size < maxLeftOut) this.#leftOut.add(text);
    this.#options.logger.warn({ tag, object, position: at }, 'command left out: the target goes without it');
  }

  #define(change: DdlChange): void {
    const { mapper, route } = this.#options;
    const { tables, table, facts } = change;
    if (tables?.kind === 'dropped')
      for (const name of tables.names) {
        this.#stored.delete(tableLabel(name));
        this.#options.onMoved?.(tableLabel(name), null);
      }
    if (table === null || facts === null || route.tables.select(table.schema, table.name) === null) return;
    const was = this.#stored.get(tableLabel(tables?.kind === 'renamed' ? tables.from : table));
    if (was === undefined && tables?.kind !== 'created') return;
    if (tables?.kind === 'renamed') this.#stored.delete(tableLabel(tables.from));
    const { gone = [], ignored = [], left } = was?.definition ?? {};
    // A command does not tell what looks have shown, and what they have halted at is for a person to accept.
    const { halted } = was?.definition ?? {};
    const shown = { ...(was?.definition ? untoldOf(was.definition) : {}), ...(halted !== undefined && { halted }) };
    const made = { ...definitionOf(facts), ...shown, gone, ignored, ...(left !== undefined && { left }) };
    const definition = { ...made, storage: { ...this.#unseen(change, was?.definition ?? null), ...facts.storage } };
    mapper.adjust(definition, definition);
    const stored = { ...storedTable(mapper.bind(versionOf(definition)), definition), loadedTo: was?.loadedTo ?? null };
    this.#stored.set(stored.source, stored);
    if (tables?.kind === 'renamed') this.#options.onMoved?.(tableLabel(tables.from), stored.source);
    // What a look has shown before is older.
    if (this.#touched.has(stored.source)) this.#touched.set(stored.source, null);
    change.stored = stored;
  }

  /** Partitions that have gone, which is no command about their table: the next look is to tell. What a person has carried out is done. */
  #unseen({ applied, facts }: DdlChange, was: TableDefinition | null): TableDefinition['storage'] {
    const isAllowed = this.#options.route.allow.includes('partitionChanges');
    if (applied || isAllowed || was === null || was.id !== facts?.id) return {};
    return Object.fromEntries(Object.entries(was.storage).filter(([part]) => facts.storage[part] === undefined));
  }

  async #read(labels: readonly string[]): Promise<void> {
    const wanted = labels.flatMap((label) => this.#stored.get(label)?.definition ?? tableOfLabel(label) ?? []);
    const touches = new Map(labels.map((label) => [label, this.#touches.get(label)]));
    const all = await this.#options.source.catalogue(wanted);
    for (const label of labels) {
      const facts = all.find((table) => tableLabel(table) === label);
      // A table that is not there any more, or of which nothing is known: rows will tell.
      // Touched once more while the catalogue was asked: what it has said may be of before that.
      if (this.#touches.get(label) !== touches.get(label)) continue;
      if (facts === undefined) this.#touched.delete(label);
      else this.#touched.set(label, facts);
    }
  }

  async #look(label: string, seen: TableFacts, at: Position): Promise<SchemaChange | null> {
    const { route } = this.#options;
    const known = this.#stored.get(label);
    if (known === undefined) return null;
    const before = known.definition;
    if (before === null) return this.#begun(known, seen, at);
    const facts = await this.#withFilled(before, seen);
    const { id: tableId } = facts;
    const to = versionOf(definitionOf(facts));
    const change: SchemaChange = { kind: 'schemaChange', from: null, to, at, tableId, seen: null };
    const judged = judgeDefinition(to, {
      before,
      facts,
      settled: true,
      transaction: '0',
      precedes: () => false,
      excluded: this.#ignored.excluded(before),
      allow: this.#allow(),
    });
    // The catalogue may have been asked before what the mark is about was seen, unless the rows are elsewhere since: locks forbid that until then.
    const told = this.#withKey(judged, before, facts);
    const isBehind = before.behind === true && facts.storage[tableId] === before.storage[tableId];
    const judgement = withUntold(withBehind(told, before, isBehind), facts);
    const isOther = tableId !== before.id;
    const untold = this.#untold(before, facts);
    const isAccepted = (at: Position): boolean => this.#isAcceptedTo(at);
    const unlogged = unloggedChange(before, facts, isAccepted);
    const unpublished = unpublishedChange(before, facts) ?? unpublishedBefore(before, isAccepted);
    const why = isOther ? madeAnew : (unlogged ?? judgement.unproven ?? untold ?? unpublished);
    if (why === null) {
      // With `halt` a definition that no row has needed yet is not told.
      if (judgement.changed && route.schemaChanges !== 'halt') await this.#changed(change, before, judgement);
      else if (!judgement.changed) this.#refresh(change, known, withoutHalt(judgement));
      return change.evolution === undefined ? null : change;
    }
    if (this.#isAcceptedState(before, facts)) {
      this.#accept(change, facts);
      return change;
    }
    // What the entries of a publication show may be as before again once a person has looked.
    const lacks = unpublished === null ? undefined : 'unpublished';
    await this.#noteHalted(known, { at, print: printOf(facts) }, why === unlogged ? true : lacks);
    if (why === untold) await this.#haltAlso(at);
    throw route.schemaChanges === 'halt' ? this.#halt(change, why) : this.#unproven(change, why);
  }

  /**
   * Of a queue that was there before the route: no row of the table has come yet, which would have said whether it is as it was then. From here on it is looked at as others
   * are.
   */
  #begun(known: StoredTable, facts: TableFacts, at: Position): SchemaChange | null {
    const { mapper } = this.#options;
    const to = versionOf(definitionOf(facts));
    if (known.fingerprint !== storedTable(mapper.bind(to), null).fingerprint) return null;
    const change: SchemaChange = { kind: 'schemaChange', from: null, to, at, tableId: facts.id, seen: null };
    this.#accept(change, facts);
    return change;
  }

  /** Rows that a partition had before it was one came without row events, also where one transaction has made and attached it. */
  async #withFilled(before: TableDefinition, facts: TableFacts): Promise<TableFacts> {
    const { source, route } = this.#options;
    const come = Object.keys(facts.storage).filter(
      (part) => part !== facts.id && before.storage[part] === undefined && !facts.attached.includes(part),
    );
    if (come.length === 0 || before.id !== facts.id || route.allow.includes('partitionChanges')) return facts;
    const filled = (await source.filled?.(facts, come)) ?? [];
    return { ...facts, attached: [...facts.attached, ...filled] };
  }

  #untold(before: TableDefinition, facts: TableFacts): string | null {
    // Of a change in between: also where commands are carried only since then.
    const areTold = facts.toldBy !== undefined && facts.toldBy === before.toldBy;
    const isTold = (of: LabelFacts): boolean => areTold && this.#isTold(of);
    return untoldChange(before, facts, (label) => {
      const of = facts.labelled?.[label];
      return of === undefined || (isTold(of) ? this.#isRead(before, of) : this.#isUsed(before, of));
    });
  }

  /**
   * Commands about the type are carried to the target: the route means a table of its schema, or carries the table whose rows are of it, where that has the same name and columns
   * there: only to such a one its commands go.
   */
  #isTold({ schema, table }: LabelFacts): boolean {
    const { route } = this.#options;
    if (table === null) return schema !== null && route.tables.meansSchema(schema);
    return [...this.#stored.values()].some(({ definition }) => {
      if (definition?.id !== table) return false;
      const mapped = route.tables.select(definition.schema, definition.name);
      return mapped !== null && isMappedAsIs(definition, mapped);
    });
  }

  /**
   * A command makes others of the values that travel as they came, into a column of the same type, at both sides alike. Not of what the route has made of them: which
   * rows are there, where they are, and what other columns have.
   */
  #isRead(before: TableDefinition, { columns }: LabelFacts): boolean {
    const read = readColumns(this.#options.mapper.bind(versionOf(before)));
    return before.columns.some(({ id }, at) => read.has(at) && columns.includes(id));
  }

  /** A column that travels, or that something is decided by or made of, has values of it; of one that was not there before nothing is known. */
  #isUsed(before: TableDefinition, { columns }: LabelFacts): boolean {
    const used = usedColumns(this.#options.mapper.bind(versionOf(before)));
    return columns.some((id) => {
      const at = before.columns.findIndex((column) => column.id === id);
      return at < 0 || used.has(at);
    });
  }

  /** Also in what is still on its way to the target, which would take the note away again. */
  async #noteHalted(known: StoredTable, look: Omit<HaltedLook, 'lacks'>, seen?: Lack): Promise<void> {
    const noted = known.definition?.halted;
    const lacks = seen ?? (noted !== undefined && !this.#isAcceptedTo(noted.at) ? noted.lacks : undefined);
    const halted = { ...look, ...(lacks !== undefined && { lacks }) };
    if (known.definition !== null) Object.assign(known, { definition: { ...known.definition, halted } });
    await this.#options.store.setHalted(known.source, halted);
  }

  /** Others that have the same enum, or are of the same publication: a person accepts it once for all of them. */
  async #haltAlso(at: Position): Promise<void> {
    for (const [label, facts] of this.#touched) {
      const known = this.#stored.get(label);
      if (facts !== null && known?.definition && this.#untold(known.definition, facts) !== null)
        await this.#noteHalted(
          known,
          { at, print: printOf(facts) },
          unpublishedChange(known.definition, facts) === null ? undefined : 'unpublished',
        );
    }
  }

  /** Called before the change is mapped, with the source transaction that brings it. Throws (halt) where the change can't be followed. */
  async meet(change: SchemaChange, transaction: string): Promise<void> {
    const { source } = this.#options;
    const { to } = change;
    const label = tableLabel(to);
    const known = this.#stored.get(label);
    const seen = await source.facts(to, transaction);
    // What a look has shown before is older: a partition that was made since would be missing from it.
    if (seen !== null && this.#touched.get(label)) this.#touched.set(label, seen);
    const facts = seen !== null && known?.definition ? await this.#withFilled(known.definition, seen) : seen;
    if (known === undefined) return await this.#first(change, facts);
    if (known.definition === null) return await this.#unknown(change, known, facts);
    if (change.tableId !== known.definition.id) {
      if (!this.#isAccepted(change)) throw this.#unproven(change, madeAnew);
      return this.#accept(change, facts);
    }
    if (change.told !== undefined) return await this.#told(change, known, known.definition, facts);
    // Commands tell what changes, in their place; the catalogue may be further. A look tells what came without one.
    if (this.#options.route.ddl === 'replicate' && sameDefinition(to, known.definition)) return;
    // A table that is not there any more tells nothing; nor does another one of its name.
    if (facts === null || facts.id !== change.tableId) return await this.#gone(change, known, known.definition);
    const judged = judgeDefinition(to, {
      before: known.definition,
      facts,
      settled: change.seen !== null && source.settled(facts.stamps, change.seen),
      transaction,
      precedes: (a, b) => source.precedes(a, b),
      excluded: this.#ignored.excluded(known.definition),
      allow: this.#allow(),
    });
    const told = this.#withKey(judged, known.definition, facts);
    const judgement = withBehind(told, known.definition, facts.isBehind === true);
    if (!judgement.changed && judgement.unproven === null) this.#refresh(change, known, judgement);
    else if (this.#isAccepted(change) || this.#isAcceptedState(known.definition, facts))
      this.#accept(change, facts, judgement.definition);
    else await this.#changed(change, known.definition, judgement);
  }

  /**
   * Of a source that tells commands as text: a command is followed where the catalogue shows what it says, or else where rows come by the definition that it
   * makes; until then it is stored with the definition. Throws (halt) where neither is so.
   */
  async #told(
    change: SchemaChange,
    known: StoredTable,
    before: TableDefinition,
    facts: TableFacts | null,
  ): Promise<void> {
    const { source, route } = this.#options;
    const { told, to: announced } = change;
    if (told) change.to = versionOf(before);
    // Its outcome was stored before the target was altered, which commits by itself there, and the place of the stream was not.
    if (told && before.toldTo !== undefined && source.order.covers(before.toldTo, change.at)) return;
    const commands = [...(before.told ?? []), ...(told && told.length > 0 ? [told] : [])];
    const excluded = this.#ignored.excluded(before);
    // Not as it is by now: rows that come as the command has found it are not announced once more.
    const isCatalogue = told !== null;
    const found = this.#followed(before, { told: commands, announced, isCatalogue, excluded });
    const followed = {
      ...found,
      definition: found.definition && { ...found.definition, ...this.#ahead(before, change) },
    };
    const { changed, unproven, waits, definition } = followed;
    if (told && definition !== null) change.to = versionOf(definition);
    if (this.#isAccepted(change)) {
      if (!changed && unproven === null && !waits) return this.#refresh(change, known, followed);
      if (definition === null && facts !== null && told) change.to = versionOf(definitionOf(facts));
      return this.#accept(change, facts, definition);
    }
    if (told && told.length > 0 && this.#ahead(before, change).takenAt !== undefined)
      throw this.#unproven(change, 'the definition was accepted as the catalogue had it behind this command');
    if (!changed && unproven === null && !waits) return this.#refresh(change, known, followed);
    if (!waits || route.schemaChanges === 'halt') return await this.#changed(change, before, followed);
    const stored = { ...known, definition: { ...before, told: commands } };
    this.#stored.set(known.source, stored);
    change.evolution = { steps: [], stored };
  }

  /** What a definition already has of commands that the stream has not passed yet. */
  #ahead({ toldTo, takenAt }: TableDefinition, { at, until = at }: SchemaChange) {
    const { order } = this.#options.source;
    return {
      ...(toldTo !== undefined && order.covers(toldTo, at) && { toldTo }),
      ...(takenAt !== undefined && order.covers(takenAt, until) && { takenAt }),
    };
  }

  #followed(before: TableDefinition, options: Parameters<NonNullable<Source['follow']>>[1]): Followed {
    const { source } = this.#options;
    if (source.follow === undefined) throw new TypeError('a command was told by a source that can not follow it');
    return source.follow(before, options);
  }

  /** Of a table whose rows stay when they are deleted: what tells them apart is no column's, and the queue does not tell it. */
  #withKey(judgement: Judgement, before: TableDefinition, facts: TableFacts): Judgement {
    if (judgement.unproven !== null || before.uniqueKeys === undefined) return judgement;
    const { outputs, kept } = this.#options.mapper.bind(versionOf(before));
    const [{ toldApartBy }] = outputs;
    const names = namedKeys(before) ?? [];
    const isUsed = (at: number): boolean => toldApartBy?.join('\0') === names[at]?.join('\0');
    // Rows of one key that were there while it was not are a collision where deleted rows have a mark; without, the second has replaced the first.
    const isOver = (key: UniqueKeyFacts, columns: readonly number[]): boolean =>
      kept?.mark != null && isDeepStrictEqual(new Set(key.columns), new Set(columns));
    const isThere = ({ id, columns }: UniqueKeyFacts): boolean =>
      facts.uniqueKeys?.some((key) => key.id === id || isOver(key, columns)) === true;
    if (toldApartBy == null || before.uniqueKeys.some((key, at) => isUsed(at) && isThere(key))) return judgement;
    const unproven = `the unique index over ${toldApartBy.join(', ')}, which tells rows apart that stay when they are deleted, was dropped or made anew`;
    return { ...judgement, unproven };
  }

  #allow() {
    const { allow } = this.#options.route;
    return { rewrittenTypes: allow.includes('rewrittenTypes'), partitionChanges: allow.includes('partitionChanges') };
  }

  #isAccepted({ at, until = at }: SchemaChange): boolean {
    return this.#isAcceptedTo(until);
  }

  #isAcceptedTo(at: Position): boolean {
    const { acceptedTo, source } = this.#options;
    return acceptedTo !== null && source.order.covers(acceptedTo, at);
  }

  /** The catalogue is still as it was when a look at it has halted the route, and a person has accepted that since. */
  #isAcceptedState({ halted }: TableDefinition, facts: TableFacts): boolean {
    return halted !== undefined && this.#isAcceptedTo(halted.at) && isPrintOf(halted.print, facts);
  }

  async #first(change: SchemaChange, facts: TableFacts | null): Promise<void> {
    if (!this.#isAccepted(change)) throw this.#halt(change, 'it is new');
    this.#accept(change, facts);
  }

  /** Stored by an older version, or of a given queue. */
  async #unknown(change: SchemaChange, known: StoredTable, facts: TableFacts | null): Promise<void> {
    const { mapper } = this.#options;
    if (known.fingerprint !== storedTable(mapper.bind(change.to), null).fingerprint && !this.#isAccepted(change))
      throw this.#halt(change, changedText);
    if (change.told && change.told.length > 0 && !this.#isAccepted(change))
      throw this.#unproven(change, 'a command has altered it, and what it was before is not known');
    this.#accept(change, facts);
  }

  async #gone(change: SchemaChange, known: StoredTable, definition: TableDefinition): Promise<void> {
    const { fingerprint } = storedTable(this.#options.mapper.bind(change.to), null);
    if (known.fingerprint === fingerprint) return;
    if (this.#isAccepted(change)) return this.#accept(change, null, definition);
    if (this.#options.route.schemaChanges === 'halt') throw this.#halt(change, changedText);
    throw this.#unproven(change, 'it was changed, and has been dropped since: what the change was can not be told');
  }

  /** A person vouches for the target. Stored in its place: rows before it may still be on their way, under definitions that are stored with them. */
  #accept(change: SchemaChange, facts: TableFacts | null, judged: TableDefinition | null = null): void {
    const { mapper } = this.#options;
    const { to } = change;
    const found = judged ?? (facts !== null && isOfCatalogue(to, facts) ? takenOf(change, facts) : null);
    const before = this.#stored.get(tableLabel(to))?.definition ?? null;
    const definition = found && { ...this.#ignored.withLeft(found, before), ...this.#unaccepted(before) };
    if (definition !== null) mapper.adjust(to, definition);
    const stored = this.#renewed(mapper.bind(to), definition);
    this.#stored.set(stored.source, stored);
    change.evolution = { steps: [], stored };
  }

  /** Changes that are not in the queue, as was seen later than what is accepted. */
  #unaccepted(before: TableDefinition | null): Pick<TableDefinition, 'halted'> {
    const { halted } = before ?? {};
    return halted?.lacks === undefined || this.#isAcceptedTo(halted.at) ? {} : { halted };
  }

  /** The same columns with the same values; what is stored to prove the next change by may be newer. */
  #refresh(change: SchemaChange, known: StoredTable, { definition }: Judgement): void {
    // As stored and read again its keys have another order.
    if (definition === null || isDeepStrictEqual(definition, known.definition)) return;
    const stored = { ...known, definition };
    this.#stored.set(known.source, stored);
    // Not at once: rows before it may still be on their way, under definitions that are stored with them.
    change.evolution = { steps: [], stored };
  }

  async #changed(change: SchemaChange, before: TableDefinition, judgement: Judgement): Promise<void> {
    const { route, mapper } = this.#options;
    const { definition, unproven } = judgement;
    if (route.schemaChanges === 'halt') throw this.#halt(change, unproven ?? changedText);
    if (unproven !== null || definition === null) throw this.#unproven(change, unproven ?? changedText);
    const from = { binding: mapper.bind(versionOf(before)), ids: before.columns.map(({ id }) => id) };
    const known =
      route.schemaChanges === 'ignore' ? await this.#ignored.leaveOut(change, before, judgement) : definition;
    const after = change.told === undefined ? known : { toldTo: change.at, ...known };
    mapper.adjust(change.to, after);
    const binding = mapper.bind(change.to);
    const ids = after.columns.map(({ id }) => id);
    const otherwise = chosenOtherwise(from, { binding, ids });
    if (otherwise !== null) throw this.#unproven(change, otherwise);
    const steps = route.schemaChanges === 'evolve' ? schemaSteps(from, { binding, ids }, judgement.existing) : [];
    if (steps === null)
      throw this.#unproven(
        change,
        'its transforms leave no column for a column, or have no value for the rows that are there, or a column that did not travel begins to, so that the target can not follow',
      );
    const stored = this.#renewed(binding, after);
    this.#stored.set(stored.source, stored);
    change.evolution = { steps, stored };
    const { logger } = this.#options;
    logger.info(
      { table: stored.source, position: change.at, steps: steps.map(stepText), ignored: after.ignored },
      'table definition changed',
    );
  }

  #renewed(binding: TableBinding, definition: TableDefinition | null): StoredTable {
    const table = storedTable(binding, definition);
    return { ...table, loadedTo: this.#stored.get(table.source)?.loadedTo ?? null };
  }

  #halt({ to, at }: SchemaChange, what: string): Error {
    return fail(routeErrors.schemaChanged, {
      route: this.#options.route.name,
      table: tableLabel(to),
      position: at,
      what,
    });
  }

  #unproven({ to, at }: SchemaChange, why: string): Error {
    return fail(routeErrors.schemaUnproven, {
      route: this.#options.route.name,
      table: tableLabel(to),
      position: at,
      why,
    });
  }
}

/** Why rows at the target would have been chosen, or made, in another way by the new definition; null where they would not. */
function chosenOtherwise(from: Identified, to: Identified): string | null {
  const replaced = replacedUnderReaders(from, to);
  if (replaced !== null)
    return `column ${replaced} is another one than before, and where, owns or a transform reads it: rows at the target were chosen, or made, by the values of the one before`;
  const retyped = retypedUnderReaders(from, to);
  if (retyped !== null)
    return `column ${retyped} is of another type than before, and where, owns or a transform reads it: by that rows at the target might have been chosen, or made, otherwise`;
  const transform = madeOtherwise(from, to);
  return transform === null
    ? null
    : `the transform ${transform} would have made other values of the rows that are there: it reads a column that has come or gone, or a column has another name for it`;
}

/** Of a source with commands its text does not say which of them the catalogue has. */
function takenOf({ told }: SchemaChange, facts: TableFacts): TableDefinition {
  return { ...definitionOf(facts), ...(told !== undefined && { takenAt: facts.position }) };
}

/** Named in the status; the log names all. */
const maxLeftOut = 100;

const madeAnew = 'it is another table now: it was dropped and made anew, and its rows went without row events';
const changedText = 'its columns, types or key are not those that the route was started with';

const behindText =
  'a transaction that nobody saw yet has changed it, and its rows may have gone by the definition of before (COMMITs wait for the route)';

/** `before` with the mark: what has changed since may have come before rows that are at the target. `isBehind`: the mark goes on. */
function withBehind(judgement: Judgement, before: TableDefinition, isBehind: boolean): Judgement {
  const { changed, unproven, definition } = judgement;
  return {
    ...judgement,
    unproven: unproven ?? (changed && before.behind === true ? behindText : null),
    definition: definition !== null && isBehind ? { ...definition, behind: true } : definition,
  };
}

/** What a look has halted at is over, or was accepted: of the same state of the catalogue another halt could tell something else. */
function withoutHalt(judgement: Judgement): Judgement {
  if (judgement.definition === null) return judgement;
  const { halted: _, ...definition } = judgement.definition;
  return { ...judgement, definition };
}

function stepText(step: SchemaStep): string {
  if (step.kind === 'rename') return `rename ${step.from} to ${step.to}`;
  return `${step.kind} ${step.kind === 'drop' ? step.column : step.column.name}`;
}
