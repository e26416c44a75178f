import { type Column, type TableVersion, tableLabel } from '../core/table.ts';
import type { TableDefinition, TableFacts } from '../core/table-facts.ts';
import { type AssignOptions, assignColumns, isOfCatalogue, sameColumn } from './assign-columns.ts';
import { untoldOf } from './untold-changes.ts';

export interface JudgeOptions extends AssignOptions {
  /** Columns that do not travel: what becomes of them is no matter. */
  readonly excluded: ReadonlySet<string>;
  readonly allow: { readonly rewrittenTypes: boolean; readonly partitionChanges: boolean };
}

export interface Judgement {
  /** The definition that is known from here on; null where it could not be told which columns are which. */
  readonly definition: TableDefinition | null;
  /** Another name, type, key or number of columns than before. */
  readonly changed: boolean;
  /** Why rows may have changed without row events, or cannot be told from each other; null where it is proven that they have not. */
  readonly unproven: string | null;
  /** What rows have that were there before, of each added column. */
  readonly existing: ReadonlyMap<number, string | null>;
}

/**
 * Compares a definition that the queue announces with the one before, by what the catalogue says now. Decides from the
 * announcement, and lets the catalogue only prove: it is newer than the queue.
 *
 * Values change without row events only where the rows are written anew, which moves them to another place (storage), or
 * by the value that an added column gives to existing rows, which the catalogue keeps until they are written anew.
 */
export function judgeDefinition(announced: TableVersion, options: JudgeOptions): Judgement {
  const { before } = options;
  const none = new Map<number, string | null>();
  const ids = assignColumns(announced, options);
  if (ids === null) {
    const changed = !sameDefinition(announced, before);
    const unproven = 'the catalogue has changed further, and it can not be told which columns were there';
    return { definition: null, changed, unproven, existing: none };
  }
  const changed = !sameDefinition(announced, before) || ids.some((id, at) => before.columns[at]?.id !== id);
  const proof = new Proof(announced, ids, options);
  return { definition: proof.definition(), changed, unproven: proof.unproven(), existing: proof.existing };
}

export function sameDefinition(announced: TableVersion, before: Pick<TableVersion, 'identity' | 'columns'>): boolean {
  return (
    announced.identity === before.identity &&
    announced.columns.length === before.columns.length &&
    announced.columns.every((column, at) => {
      const other = before.columns[at];
      return other !== undefined && sameColumn(column, other) && column.key === other.key;
    })
  );
}

class Proof {
  readonly #announced: TableVersion;
  readonly #ids: readonly number[];
  readonly #options: JudgeOptions;
  readonly existing = new Map<number, string | null>();

  constructor(announced: TableVersion, ids: readonly number[], options: JudgeOptions) {
    this.#announced = announced;
    this.#ids = ids;
    this.#options = options;
  }

  unproven(): string | null {
    const { before, excluded } = this.#options;
    const old = new Map(before.columns.map((column) => [column.id, column]));
    for (const [at, id] of this.#ids.entries()) {
      const column = this.#announced.columns[at] as Column;
      if (excluded.has(column.name)) continue;
      const was = old.get(id);
      const why = was === undefined ? this.#added(id, column) : this.#rewritten(id, was, column);
      if (why !== null) return why;
    }
    return this.#generated() ?? this.#partitions();
  }

  #added(id: number, column: Column): string | null {
    const { facts, before } = this.#options;
    if (before.generated.some((other) => other.id === id)) return `column ${column.name} is no longer generated`;
    const now = facts.columns.find((other) => other.id === id);
    if (now === undefined) return `column ${column.name} was added and has been dropped since`;
    this.existing.set(id, now.missing);
    const isFurther = Object.keys(facts.storage).some((part) => before.storage[part] === undefined);
    if (now.missing !== null || !(this.#moved() || isFurther)) return null;
    return `column ${column.name} was added and the table written anew, so that what existing rows have in it is not known (a default that is no constant?)`;
  }

  #rewritten(id: number, was: TableDefinition['columns'][number], column: Column): string | null {
    const { facts, allow } = this.#options;
    const now = facts.columns.find((other) => other.id === id);
    if (now === undefined || now.stamp === was.stamp || !this.#moved()) return null;
    const retyped = was.type !== now.type || was.modifier !== now.modifier;
    if (retyped && allow.rewrittenTypes) return null;
    const what = retyped ? 'the type of' : 'the definition of';
    return `${what} column ${column.name} was changed and the table written anew: its values may be others (USING)${
      retyped ? ', which allow: [rewrittenTypes] takes for a plain cast' : ''
    }`;
  }

  #generated(): string | null {
    const { before, facts, excluded } = this.#options;
    for (const column of facts.generated) {
      if (excluded.has(column.name)) continue;
      const was = before.generated.find(({ id }) => id === column.id);
      if (was === undefined) return `generated column ${column.name} was added`;
      if (was.stamp !== column.stamp) return `generated column ${column.name} was altered`;
    }
    const gone = before.generated.find(
      ({ id, name }) => !excluded.has(name) && !facts.generated.some((column) => column.id === id),
    );
    return gone === undefined ? null : `generated column ${gone.name} was dropped`;
  }

  #partitions(): string | null {
    const { before, facts, allow } = this.#options;
    if (allow.partitionChanges) return null;
    const gone = Object.keys(before.storage).some((part) => facts.storage[part] === undefined);
    if (gone)
      return 'a partition was detached or dropped, its rows went without row events (allow: [partitionChanges] keeps them)';
    const isAgain = (part: string): boolean => (before.links?.[part] ?? facts.links?.[part]) !== facts.links?.[part];
    const come = facts.attached.some((part) => before.storage[part] === undefined || isAgain(part));
    return come
      ? 'a table was attached as a partition, its rows came without row events (allow: [partitionChanges] leaves them out)'
      : null;
  }

  /** Rows of before were written anew, by whatever. */
  #moved(): boolean {
    const { before, facts } = this.#options;
    return Object.entries(before.storage).some(([part, place]) => facts.storage[part] !== place);
  }

  definition(): TableDefinition {
    const { before, facts, excluded } = this.#options;
    const { schema, name, identity } = this.#announced;
    const old = new Map(before.columns.map((column) => [column.id, column]));
    const columns = this.#ids.map((id, at) => {
      const column = this.#announced.columns[at] as Column;
      const now = facts.columns.find((other) => other.id === id);
      // A stamp from after this definition would hide what happened in between.
      const stamp = now !== undefined && sameColumn(now, column) ? now.stamp : (old.get(id)?.stamp ?? '');
      return { ...column, id, stamp };
    });
    const isCatalogue =
      isOfCatalogue(this.#announced, facts) && facts.columns.every((column, at) => column.id === this.#ids[at]);
    const names = new Set(columns.map((column) => column.name));
    const dropped = before.columns.filter(
      ({ id, name: old }) => excluded.has(old) && !this.#ids.includes(id) && !names.has(old),
    );
    return {
      schema,
      name,
      id: facts.id,
      identity,
      columns,
      generated: facts.generated,
      lastColumn: isCatalogue ? facts.lastColumn : Math.max(before.lastColumn, ...this.#ids),
      // What moved the rows may have been a change that comes later.
      storage: isCatalogue ? facts.storage : before.storage,
      ...linksOf(isCatalogue ? facts : before),
      ...keysOf(isCatalogue ? facts : before),
      gone: [...before.gone.filter((old) => !names.has(old)), ...dropped.map((column) => column.name)],
      ignored: before.ignored.filter((ignored) => names.has(ignored)),
      ...(before.left !== undefined && { left: before.left }),
      // What it has become is told by a look at the catalogue, once the queue has come to that; so is whether what one has halted at was accepted.
      ...untoldOf(before),
      ...(before.halted !== undefined && { halted: before.halted }),
    };
  }
}

/** As the catalogue shows it, for a table that is met the first time. */
export function definitionOf(facts: TableFacts): TableDefinition {
  const { schema, name, id, identity, generated, lastColumn, storage } = facts;
  const columns = facts.columns.map(({ nullable: _, missing: __, ...column }) => column);
  const where = { storage, ...linksOf(facts), ...keysOf(facts), ...untoldOf(facts) };
  return { schema, name, id, identity, columns, generated, lastColumn, ...where, gone: [], ignored: [] };
}

function linksOf({ links }: Pick<TableDefinition, 'links'>): Pick<TableDefinition, 'links'> {
  return links === undefined ? {} : { links };
}

function keysOf({ uniqueKeys }: Pick<TableDefinition, 'uniqueKeys'>): Pick<TableDefinition, 'uniqueKeys'> {
  return uniqueKeys === undefined ? {} : { uniqueKeys };
}

/** By the names that the columns have. */
export function namedKeys({
  uniqueKeys,
  columns,
}: {
  readonly uniqueKeys?: TableDefinition['uniqueKeys'] | undefined;
  readonly columns: TableDefinition['columns'];
}): readonly (readonly string[])[] | undefined {
  return uniqueKeys?.map((key) => key.columns.map((id) => columns.find((column) => column.id === id)?.name ?? ''));
}

/** The table as it was defined, for checks before the queue announces it. */
export function versionOf({ schema, name, identity, columns, generated, uniqueKeys }: TableDefinition): TableVersion {
  const keys = namedKeys({ uniqueKeys, columns });
  return {
    schema,
    name,
    identity,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      modifier: column.modifier,
      key: column.key,
    })),
    ...(generated.length > 0 && { generated: generated.map((column) => column.name) }),
    ...(keys !== undefined && { uniqueKeys: keys }),
  };
}

export function labelOf(definition: TableDefinition): string {
  return tableLabel(definition);
}
