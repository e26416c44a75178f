/** Of a point, linestring and so on; a collection has shapes of any kind. */
const point = 1;
const polygon = 3;
const collection = 7;
/** What the shapes of a multipoint, multilinestring and multipolygon are. */
const partsOf: ReadonlyMap<number, number | null> = new Map([
  [4, 1],
  [5, 2],
  [6, 3],
  [collection, null],
]);
const pointBytes = 16;
/** Collections within collections; each level is a call here. */
const deepest = 64;

/**
 * Whether these bytes are a geometry as MySQL and MariaDB keep it: the SRID, then shapes of two dimensions in WKB, little-endian, and nothing behind them.
 * Source: dev.mysql.com/doc/refman/9.7/en/gis-data-formats.html
 */
export function isGeometry(bytes: Buffer): boolean {
  let at = 4;
  const holds = (length: number): boolean => {
    at += length;
    return at <= bytes.length;
  };
  const count = (): number => (holds(4) ? bytes.readUInt32LE(at - 4) : Number.POSITIVE_INFINITY);
  const points = (): boolean => holds(count() * pointBytes);
  const all = (one: () => boolean): boolean => {
    // Each takes four bytes at least, so that no number of them makes this long.
    for (let left = count(); left > 0; left--) if (!one()) return false;
    return true;
  };
  const shape = (kind: number | null, depth: number): boolean => {
    if (depth > deepest || !holds(5) || bytes[at - 5] !== 1) return false;
    const type = bytes.readUInt32LE(at - 4);
    if (kind !== null && type !== kind) return false;
    if (type === point) return holds(pointBytes);
    if (type === polygon) return all(points);
    const part = partsOf.get(type);
    return part === undefined ? type === 2 && points() : all(() => shape(part, depth + 1));
  };
  return shape(null, 0) && at === bytes.length;
}
