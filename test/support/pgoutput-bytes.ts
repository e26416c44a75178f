/** Messages of pgoutput, made by hand. Tables have one column, `id`, which is their key. `xid`: within a stream. */

type Xid = Buffer | string;

export const int = (bytes: 1 | 2 | 4 | 8, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigInt64BE(BigInt(value));
  else buffer.writeIntBE(value, 0, bytes);
  return buffer;
};

export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export const join = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

/** The table public.t7, of oid 7. `identity` as in pg_class.relreplident. */
export const relation = (xid: Xid, oid: number, identity: 'd' | 'f' = 'd'): Buffer =>
  join(
    'R',
    xid,
    int(4, oid),
    text('public'),
    text(`t${oid}`),
    identity,
    int(2, 1),
    int(1, 1),
    text('id'),
    int(4, 23),
    int(4, -1),
  );

export const insert = (xid: Xid, oid: number, value: string): Buffer =>
  join('I', xid, int(4, oid), 'N', int(2, 1), 't', int(4, value.length), value);

export const begin = (xid: number, lsn: number): Buffer => join('B', int(8, lsn), int(8, 0), int(4, xid));

export const commit = (lsn: number): Buffer => join('C', int(1, 0), int(8, lsn), int(8, lsn + 1), int(8, 0));

export const message = (prefix: string, content: string): Buffer =>
  join('M', int(1, 1), int(8, 0), text(prefix), int(4, content.length), content);
