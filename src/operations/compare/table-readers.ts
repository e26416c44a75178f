import type { Row } from '../../core/cell.ts';
import type {
  BucketChoice,
  CompareSide,
  GivenRow,
  KeyRange,
  RangeDigest,
  RowHash,
  RowKey,
  RowPlace,
} from '../../core/compare-side.ts';
import { keyForm } from '../../core/key-form.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import { asAtTarget, type RowAtTarget } from './as-at-target.ts';
import { rangeThere } from './carried-range.ts';
import { isInKey, type ReadRow } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

/** What a compare asks one side of a table. */
export interface TableReader {
  digest(range: KeyRange): Promise<RangeDigest>;
  list(range: KeyRange): Promise<readonly ReadRow[]>;
  bucketDigests(buckets: number): Promise<ReadonlyMap<number, RangeDigest>>;
  listBuckets(choice: BucketChoice): Promise<readonly ReadRow[]>;
}

export interface ReaderOptions {
  readonly plan: TablePlan;
  readonly hash: RowHash;
  readonly source: CompareSide;
  readonly target: CompareSide;
  readonly mapper: TableMapper;
}

/** The rows as the target should have them, and as it has them. */
export function tableReaders(options: ReaderOptions): { readonly source: TableReader; readonly target: TableReader } {
  const { plan, hash, source, target } = options;
  return {
    source: plan.isStreamed
      ? new StreamedReader(options)
      : keysThere(plan, hashedReader(source, plan.sourceShape, hash)),
    target: hashedReader(target, plan.targetShape, hash, (range) => rangeThere(plan, range)),
  };
}

function hashedReader(
  side: CompareSide,
  shape: TablePlan['sourceShape'],
  hash: RowHash,
  own = (range: KeyRange): KeyRange => range,
): TableReader {
  return {
    digest: async (range) => side.digest(shape, hash, own(range)),
    list: async (range) => side.list(shape, hash, own(range)),
    bucketDigests: (buckets) => side.bucketDigests(shape, hash, buckets),
    listBuckets: (choice) => side.listBuckets(shape, hash, choice),
  };
}

/** Rows are told apart by the keys as the target writes them. */
function keysThere({ carrier, targetShape }: TablePlan, reader: TableReader): TableReader {
  const keys = carrier?.keys;
  if (keys == null) return reader;
  const there = (rows: readonly ReadRow[]): readonly ReadRow[] =>
    rows.map((row) => {
      const key = keys.there(row.key);
      return key === null ? { ...row, refused: targetShape.key } : { ...row, key };
    });
  return {
    ...reader,
    list: async (range) => there(await reader.list(range)),
    listBuckets: async (choice) => there(await reader.listBuckets(choice)),
  };
}

const everything: KeyRange = { after: null, to: null };

/**
 * The source's rows through the route's transforms. What the target would make of them it is asked itself, so that its
 * text of a value is the one that counts.
 */
class StreamedReader implements TableReader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  async digest(range: KeyRange): Promise<RangeDigest> {
    let rows = 0;
    let sum = 0n;
    for await (const given of this.#given(range, 1)) {
      rows += given.length;
      for (const { hash } of given) sum += BigInt(hash);
    }
    return { rows, sum: sum.toString() };
  }

  async list(range: KeyRange): Promise<readonly ReadRow[]> {
    const listed: ReadRow[] = [];
    for await (const given of this.#given(range, 1)) for (const row of given) listed.push(row);
    return listed;
  }

  async bucketDigests(buckets: number): Promise<ReadonlyMap<number, RangeDigest>> {
    const sums = new Map<number, { rows: number; sum: bigint }>();
    for await (const given of this.#given(everything, buckets)) {
      for (const { bucket, hash } of given) {
        const known = sums.get(bucket) ?? { rows: 0, sum: 0n };
        sums.set(bucket, { rows: known.rows + 1, sum: known.sum + BigInt(hash) });
      }
    }
    return new Map([...sums].map(([bucket, { rows, sum }]) => [bucket, { rows, sum: sum.toString() }]));
  }

  async listBuckets({ chosen, buckets, places = false }: BucketChoice): Promise<readonly ReadRow[]> {
    const wanted = new Set(chosen);
    const listed: ReadRow[] = [];
    for await (const given of this.#given({ ...everything, places }, buckets))
      for (const row of given) if (wanted.has(row.bucket)) listed.push(row);
    return listed;
  }

  async *#given(
    range: KeyRange & { readonly places?: boolean },
    buckets: number,
  ): AsyncGenerator<readonly ListedAtTarget[]> {
    const { plan, source } = this.#options;
    const columns = plan.binding.source.columns.map(({ name }) => name);
    // As they come: a number of rows may be of any size.
    for await (const batch of source.read(plan.sourceShape, columns, range)) {
      const places: RowPlace[] = [];
      const rows: RowAtTarget[] = [];
      for (const row of batch) {
        const place = range.places === true ? String(row.pop()) : '';
        for (const made of mappedRows(this.#options, row)) {
          rows.push(made);
          places.push(place);
        }
      }
      const given = await listAtTarget(this.#options, rows, buckets);
      yield range.places === true ? given.map((row, at) => ({ ...row, place: places[at] ?? '' })) : given;
    }
  }
}

/** What the route makes of a row of the source for this table. */
export function mappedRows({ plan, mapper }: Pick<ReaderOptions, 'plan' | 'mapper'>, row: Row): readonly RowAtTarget[] {
  return asAtTarget(mapper, plan, row);
}

/** As CompareSide.listGiven has it; of a row with values that have no form there the hash is another one than that of any row there. */
export interface ListedAtTarget extends GivenRow, Pick<ReadRow, 'refused'> {}

/** What rows of the source would be at the target, in their order. */
export async function listAtTarget(
  { plan, target, hash }: Pick<ReaderOptions, 'plan' | 'target' | 'hash'>,
  rows: readonly RowAtTarget[],
  buckets: number,
): Promise<readonly ListedAtTarget[]> {
  const { targetShape: shape } = plan;
  const asked = rows.filter(({ refused }) => !isInKey(refused, plan)).map(({ row }) => row);
  const given = asked.length === 0 ? [] : await target.listGiven(shape, hash, { rows: asked, buckets });
  let at = 0;
  return rows.map(({ refused, mapped }): ListedAtTarget => {
    // The target can't be asked which key it would be.
    if (isInKey(refused, plan)) return { key: keyOf(plan, mapped), hash: '0', bucket: 0, refused };
    const row = given[at++];
    if (row === undefined) throw new RangeError('a row that was given and not answered');
    return refused.length === 0 ? row : { ...row, hash: (BigInt(row.hash) + 1n).toString(), refused };
  });
}

/** As the source writes it. */
function keyOf({ targetShape: { key }, output }: TablePlan, mapped: Row): RowKey {
  return key.map((name) => {
    const at = output.table.columns.findIndex((column) => column.name === name);
    return keyForm(mapped[at] ?? null, output.table.columns[at]);
  });
}
