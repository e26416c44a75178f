import type { Row } from '../../core/cell.ts';
import type {
  BucketChoice,
  CompareSide,
  GivenRow,
  KeyRange,
  ListedRow,
  RangeDigest,
  RowHash,
  RowPlace,
} from '../../core/compare-side.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import { asAtTarget } from './as-at-target.ts';
import { rangeThere } from './carried-range.ts';
import type { TablePlan } from './table-plan.ts';

/** What a compare asks one side of a table. */
export interface TableReader {
  digest(range: KeyRange): Promise<RangeDigest>;
  list(range: KeyRange): Promise<readonly ListedRow[]>;
  bucketDigests(buckets: number): Promise<ReadonlyMap<number, RangeDigest>>;
  listBuckets(choice: BucketChoice): Promise<readonly ListedRow[]>;
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
function keysThere({ carrier }: TablePlan, reader: TableReader): TableReader {
  const keys = carrier?.keys;
  if (keys == null) return reader;
  const there = (rows: readonly ListedRow[]): readonly ListedRow[] =>
    rows.map((row) => ({ ...row, key: keys.there(row.key) }));
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

  async list(range: KeyRange): Promise<readonly ListedRow[]> {
    const listed: ListedRow[] = [];
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

  async listBuckets({ chosen, buckets, places = false }: BucketChoice): Promise<readonly ListedRow[]> {
    const wanted = new Set(chosen);
    const listed: ListedRow[] = [];
    for await (const given of this.#given({ ...everything, places }, buckets))
      for (const row of given) if (wanted.has(row.bucket)) listed.push(row);
    return listed;
  }

  async *#given(range: KeyRange & { readonly places?: boolean }, buckets: number): AsyncGenerator<readonly GivenRow[]> {
    const { plan, source, target, hash } = this.#options;
    const columns = plan.binding.source.columns.map(({ name }) => name);
    // As they come: a number of rows may be of any size.
    for await (const batch of source.read(plan.sourceShape, columns, range)) {
      const places: RowPlace[] = [];
      const rows: Row[] = [];
      for (const row of batch) {
        const place = range.places === true ? String(row.pop()) : '';
        for (const made of mappedRows(this.#options, row)) {
          rows.push(made);
          places.push(place);
        }
      }
      if (rows.length === 0) continue;
      const given = await target.listGiven(plan.targetShape, hash, { rows, buckets });
      yield range.places === true ? given.map((row, at) => ({ ...row, place: places[at] ?? '' })) : given;
    }
  }
}

/** What the route makes of a row of the source for this table. */
export function mappedRows({ plan, mapper }: Pick<ReaderOptions, 'plan' | 'mapper'>, row: Row): readonly Row[] {
  return asAtTarget(mapper, plan, row);
}
