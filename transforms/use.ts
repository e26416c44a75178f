import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ABSENT, type Cell, type Row, UNCHANGED } from '../src/core/cell.ts';
import { type CellRule, TransformFailure } from '../src/core/cell-rule.ts';
import { transformErrors } from '../src/core/errors/catalogue/transform.ts';
import { fail } from '../src/core/errors/tidelock-error.ts';
import type { Column } from '../src/core/table.ts';
import type { ConfiguredTransform, RowLayout, SpreadRow } from '../src/core/table-mapping.ts';
import type { BoundExit, ExitRow, ExitValue, UserExit } from '../src/core/user-exit.ts';
import { place } from './set.ts';

export interface UseOptions {
  /** Absolute path of the module. */
  readonly file: string;
  readonly options: unknown;
}

/** The user's own code. It sees rows and makes rows; the engine makes operations of them, as for every transform. */
export function use({ file, options }: UseOptions): ConfiguredTransform {
  let exit: UserExit | null = null;
  return {
    name: `use ${basename(file)}`,
    columns: [],
    async prepare() {
      exit = await load(file);
    },
    bind(layout) {
      const problem = (text: string): Error =>
        fail(transformErrors.exit, { route: layout.route, table: layout.table, file, problem: text });
      if (exit === null) throw problem('it is not a module whose default export has bind()');
      const bound = attempt(() =>
        exit?.bind({
          name: layout.table,
          columns: layout.columns.map((column, index) => ({ ...column, key: layout.key.includes(index) })),
          options,
        }),
      );
      if (bound === null || typeof bound !== 'object' || typeof bound.row !== 'function')
        throw problem(typeof bound === 'string' ? bound : 'bind() gives no object with row()');
      return new BoundUse(layout, bound).transform();
    },
  };
}

async function load(file: string): Promise<UserExit | null> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    const exit = module.default as UserExit | undefined;
    return typeof exit?.bind === 'function' ? exit : null;
  } catch {
    return null;
  }
}

/** The exit's own error, without its text: that may hold values. */
function attempt<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    return thrown(error);
  }
}

function thrown(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  const place = error instanceof Error ? /\(?([^\s()]+:\d+:\d+)\)?$/m.exec(error.stack ?? '')?.[1] : undefined;
  return `it threw ${name}${place === undefined ? '' : ` at ${basename(place)}`}`;
}

class BoundUse {
  readonly #exit: BoundExit;
  readonly #layout: RowLayout;
  readonly #columns: Column[];
  readonly #reads: readonly number[];
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #writable: ReadonlySet<number>;

  constructor(layout: RowLayout, exit: BoundExit) {
    this.#exit = exit;
    this.#layout = layout;
    this.#columns = [...layout.columns];
    this.#reads = exit.reads?.map((name) => layout.indexOf(name)) ?? layout.columns.map((_, index) => index);
    for (const { name, type, modifier = -1 } of exit.writes ?? []) place(this.#columns, name, { type, modifier });
    this.#indexes = new Map(this.#columns.map(({ name }, index) => [name, index]));
    const declared = (exit.writes ?? []).flatMap(({ name }) => this.#indexes.get(name) ?? []);
    this.#writable = new Set([...this.#reads, ...declared]);
  }

  transform(): ReturnType<ConfiguredTransform['bind']> {
    const columns = this.#columns;
    const readsAll = this.#exit.reads === undefined;
    const written = [...this.#writable].filter((index) => !this.#layout.key.includes(index));
    if (this.#exit.reshapes === true) {
      return {
        kind: 'rows',
        columns,
        lineage: columns.map((_, index) => ({ index, reads: this.#reads, injective: false })),
        reads: this.#reads,
        key: this.#exit.key ?? [],
        outputs: [],
        goesOn: true,
        readsAll,
        spread: (row) => this.#spread(row),
      };
    }
    // One call makes all cells of a row; the first rule makes it and the others take from it.
    let last: { readonly row: Row; readonly made: Row } | null = null;
    const rules = written.map(
      (index): CellRule => ({
        index,
        reads: this.#reads,
        injective: false,
        compute: (row) => {
          if (last?.row !== row || index === written[0]) last = { row, made: this.#one(row) };
          return last.made[index] ?? null;
        },
      }),
    );
    return { kind: 'cells', columns, rules, readsAll };
  }

  #one(row: Row): Row {
    const result = this.#call(row);
    if (result === null || Array.isArray(result))
      throw new TransformFailure('it dropped or split a row without `reshapes`');
    const made = this.#merge(row, result as ExitRow);
    for (const index of this.#layout.key)
      if (made[index] !== row[index])
        throw new TransformFailure(`it changed the key column ${this.#columns[index]?.name} without \`reshapes\``);
    return made;
  }

  #spread(row: Row): SpreadRow[] {
    const result = this.#call(row);
    const rows = result === null ? [] : Array.isArray(result) ? (result as readonly ExitRow[]) : [result as ExitRow];
    const key = this.#columns.flatMap(({ name }, index) =>
      this.#layout.key.includes(index) || this.#exit.key?.includes(name) ? [index] : [],
    );
    const seen = new Map<string, number>();
    return rows.map((values) => {
      const made = this.#merge(row, values);
      const name = key.map((index) => JSON.stringify(cellText(made[index]))).join();
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      return { slot: `${name}${count}`, output: null, row: made };
    });
  }

  #call(row: Row): ExitRow | readonly ExitRow[] | null {
    const values: Record<string, ExitValue> = {};
    for (const index of this.#reads) {
      const cell = row[index];
      if (cell === UNCHANGED || cell === ABSENT || cell === undefined)
        throw new TransformFailure('it reads a large value that did not change and is not in the log');
      values[this.#columns[index]?.name ?? ''] = cell;
    }
    try {
      return this.#exit.row(values);
    } catch (error) {
      throw new TransformFailure(thrown(error));
    }
  }

  #merge(row: Row, values: ExitRow): Row {
    // Its own end is of no use to anybody any more.
    if (values instanceof Promise) values.catch(() => undefined);
    if (!isPlainObject(values))
      throw new TransformFailure('it made something that is no row: a plain object is one, a promise is none');
    const made = [...row];
    while (made.length < this.#columns.length) made.push(null);
    for (const [name, value] of Object.entries(values)) {
      const index = this.#indexes.get(name);
      if (index === undefined) throw new TransformFailure(`it made a value for ${name}, which is no column`);
      if (!this.#exit.reshapes && !this.#writable.has(index))
        throw new TransformFailure(`it made a value for ${name}, which is neither in \`reads\` nor in \`writes\``);
      if (value !== null && typeof value !== 'string' && !Buffer.isBuffer(value))
        throw new TransformFailure(`its value for ${name} is neither text nor bytes nor NULL`);
      made[index] = value;
    }
    return made;
  }
}

/** Of others (a promise, a Map, an instance of a class) the values need not be entries: the row would stay as it was. */
function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function cellText(cell: Cell | undefined): string | null {
  if (Buffer.isBuffer(cell)) return cell.toString('hex');
  return typeof cell === 'string' ? cell : null;
}
