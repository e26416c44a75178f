import type { Cell } from '../../core/cell.ts';
import { type ComparedRow, type ComparedShape, type CompareSide, keyText } from '../../core/compare-side.ts';
import type { RowAtTarget } from './as-at-target.ts';
import type { FrozenSides } from './frozen-sides.ts';
import { identityOf } from './frozen-suspects.ts';
import type { ListedSuspect } from './suspects.ts';
import { listAtTarget, mappedRows, type ReaderOptions } from './table-readers.ts';

/** Of one look's rows, so much is in memory. */
const mostRows = 2_000;
const mostBytes = 8_000_000;
/** Each reading may pass over the whole table; how large the rows are shows with the first ones. */
const firstAtOnce = 20;
const mostAtOnce = 500;

/** A row that differs, as it is at both sides; null where it is not. */
export interface FrozenRow {
  readonly suspect: ListedSuspect;
  /** As the target would hold it. */
  readonly source: ComparedRow | null;
  readonly target: ComparedRow | null;
}

/** Of as many of them as memory allows, and of one at least: they were listed with their places. */
export async function frozenRows(
  options: ReaderOptions,
  frozen: FrozenSides,
  suspects: readonly ListedSuspect[],
): Promise<readonly FrozenRow[]> {
  const rows: FrozenRow[] = [];
  let bytes = 0;
  for (let at = 0, atOnce = firstAtOnce; at < suspects.length && rows.length < mostRows && bytes < mostBytes; ) {
    const some = suspects.slice(at, at + atOnce);
    at += some.length;
    const bytesBefore = bytes;
    const [here, there] = await Promise.all([sourceRows(options, frozen, some), targetRows(options, frozen, some)]);
    for (const suspect of some) {
      const source = suspect.kind === 'extra' ? null : (here.get(suspect) ?? null);
      const target = suspect.kind === 'missing' ? null : (there.get(suspect) ?? null);
      if ((suspect.kind !== 'extra' && source === null) || (suspect.kind !== 'missing' && target === null))
        throw new RangeError('a row that its own snapshot does not show again');
      rows.push({ suspect, source, target });
      for (const cell of [...(source ?? []), ...(target ?? [])]) bytes += cell?.length ?? 0;
    }
    const bytesOfOne = Math.max(1, (bytes - bytesBefore) / some.length);
    const left = Math.floor((mostBytes - bytes) / bytesOfOne);
    atOnce = Math.max(1, Math.min(mostAtOnce, 4 * atOnce, mostRows - rows.length, left));
  }
  return rows;
}

type RowsOf = ReadonlyMap<ListedSuspect, ComparedRow>;

async function targetRows(
  { plan }: ReaderOptions,
  { target }: FrozenSides,
  suspects: readonly ListedSuspect[],
): Promise<RowsOf> {
  const { targetShape } = plan;
  const wanted = suspects.filter(({ kind }) => kind !== 'missing');
  if (wanted.length === 0) return new Map();
  const isKeyless = targetShape.key.length === 0;
  const rows: ReadonlyMap<string, readonly Cell[]> = isKeyless
    ? await placed(target, targetShape, wanted, 'compared')
    : await target.rows(
        targetShape,
        wanted.map(({ key }) => key),
      );
  return new Map(
    wanted.flatMap((one): [ListedSuspect, ComparedRow][] => {
      const row = rows.get(isKeyless ? (one.place ?? '') : keyText(one.key));
      return row === undefined ? [] : [[one, row.map(text)]];
    }),
  );
}

/** As the target would hold them. */
async function sourceRows(
  options: ReaderOptions,
  { source }: FrozenSides,
  suspects: readonly ListedSuspect[],
): Promise<RowsOf> {
  const { plan } = options;
  const wanted = suspects.filter(({ kind }) => kind !== 'extra');
  if (wanted.length === 0) return new Map();
  const columns = plan.binding.source.columns.map(({ name }) => ({ name, form: 'text' as const }));
  const rows = await placed(source, { ...plan.sourceShape, columns }, wanted, 'read');
  const made: { readonly one: ListedSuspect; readonly made: RowAtTarget }[] = [];
  for (const one of wanted)
    for (const row of mappedRows(options, [...(rows.get(one.place ?? '') ?? [])])) made.push({ one, made: row });
  const given = await listAtTarget(
    options,
    made.map((row) => row.made),
    1,
  );
  // A route may make several rows of one.
  return new Map(
    made.flatMap(({ one, made: { row } }, at): [ListedSuspect, ComparedRow][] => {
      const listed = given[at];
      return listed !== undefined && identityOf(listed) === identityOf(one) ? [[one, row.map(text)]] : [];
    }),
  );
}

async function placed(
  side: CompareSide,
  shape: ComparedShape,
  suspects: readonly ListedSuspect[],
  as: 'compared' | 'read',
): Promise<ReadonlyMap<string, readonly Cell[]>> {
  if (side.placed === undefined) throw new RangeError('a side that knows no places');
  return await side.placed(shape, [...new Set(suspects.map(({ place = '' }) => place))], as);
}

function text(cell: Cell | undefined): string | null {
  if (Buffer.isBuffer(cell)) return `\\x${cell.toString('hex')}`;
  return typeof cell === 'string' ? cell : null;
}
