/** Types of columns as table maps number them. */
export const columnTypes = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  longLong: 8,
  int24: 9,
  date: 10,
  time: 11,
  dateTime: 12,
  year: 13,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  dateTime2: 18,
  time2: 19,
  blobCompressed: 140,
  varcharCompressed: 141,
  vector: 242,
  json: 245,
  newDecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

const t = columnTypes;

const twoBytes: ReadonlySet<number> = new Set([
  ...[t.varchar, t.varcharCompressed, t.varString, t.bit, t.newDecimal, t.string, t.enum, t.set],
]);
const oneByte: ReadonlySet<number> = new Set([
  ...[t.float, t.double, t.timestamp2, t.dateTime2, t.time2, t.json, t.vector, t.geometry],
  ...[t.tinyBlob, t.mediumBlob, t.longBlob, t.blob, t.blobCompressed],
]);
const numeric: ReadonlySet<number> = new Set([
  ...[t.tiny, t.short, t.int24, t.long, t.longLong, t.newDecimal, t.float, t.double, t.year],
]);
const character: ReadonlySet<number> = new Set([
  ...[t.string, t.varString, t.varchar, t.varcharCompressed],
  ...[t.tinyBlob, t.mediumBlob, t.longBlob, t.blob, t.blobCompressed],
]);

export function metadataBytes(type: number): number {
  return twoBytes.has(type) ? 2 : oneByte.has(type) ? 1 : 0;
}

/** Columns that the signedness field has a bit for. */
export function isNumeric(type: number): boolean {
  return numeric.has(type);
}

/** Columns that the charset fields have a collation for. MariaDB counts geometries among them, MySQL vectors. */
export function isCharacter(type: number, mariadb: boolean): boolean {
  return character.has(type) || type === (mariadb ? t.geometry : t.vector);
}

/** An enum or a set is logged as a char column whose metadata tells what it is. */
export function realType(type: number, metadata: number): number {
  if (type !== t.string) return type;
  const real = metadata & 0xff;
  return real === t.enum || real === t.set ? real : t.string;
}

/** Of a char column: its longest value in bytes. Lengths above 255 have their high bits, inverted, in the type. */
export function charBytes(metadata: number): number {
  return (metadata >> 8) | (((metadata & 0x30) ^ 0x30) << 4);
}
