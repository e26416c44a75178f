import { createHash, timingSafeEqual } from 'node:crypto';
import type { DdlKey } from './ddl-capture.ts';

/** What the event trigger function of ddl-capture.ts writes. */
export interface DdlMessage {
  readonly route: string;
  /** 64 bits, of the top transaction. */
  readonly xid: string;
  readonly event: 'ddl_command_end' | 'sql_drop' | 'table_rewrite';
  readonly tag: string;
  readonly objects: readonly DdlObject[];
  /** The same for all commands that the client sent as one text. */
  readonly batch: string;
  /** The table was put into the publication by it: empty, and before its first row. */
  readonly published: boolean;
  /** A new table of the route's is made at the target, as newTables was when the triggers were made. Older engines' functions do not tell. */
  readonly joins?: boolean;
  /** A row of `factsQuery`. */
  readonly facts: Readonly<Record<string, unknown>> | null;
  readonly statement: string | null;
  /** pg_event_trigger_table_rewrite_reason() */
  readonly reason: number | null;
  readonly nested: boolean;
  /** Of a nested command: its own text, where that is known. Older engines' functions do not give it. */
  readonly within?: string | null;
  /** Other tables inherit from it. Older engines' functions do not tell. */
  readonly heirs?: boolean;
  readonly plain: boolean;
  readonly text: string | null;
  readonly settings: Readonly<Record<string, string | null>>;
}

export interface DdlObject {
  readonly tag: string | null;
  readonly type: string;
  readonly identity: string;
  readonly schema: string | null;
  readonly name: string;
  /** Oid of the table that it is, or is a part of. */
  readonly relation: number | null;
  readonly table: string | null;
  /** Of a partition. */
  readonly root?: { readonly schema: string; readonly name: string } | null;
  readonly persistence?: string | null;
  /** The triggers have told how it, or the table whose partition it is, was made. Older engines' functions do not give it. */
  readonly told?: boolean;
  /** Of a domain that was made: what Relation messages don't tell of its columns. Older engines' functions do not give it. */
  readonly domain?: { readonly oid: number; readonly modifier: number } | null;
  /** Of those that a command has dropped: named by it. */
  readonly original?: boolean;
  /** Of dropped columns and constraints: schema, table and name. Older engines' functions do not give it. */
  readonly address?: readonly string[] | null;
  /** Of those that a command has dropped: by CASCADE. */
  readonly cascaded?: boolean;
}

const digestLength = 64;

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * Null for a message that the event triggers did not write: every user can write one. The signature is NMAC, HMAC with two keys that are independent (each
 * fills a block of SHA-256); the transaction's id is part of what is signed, so that a message tells nothing in another transaction.
 * Throws RangeError for one that is signed and can't be read.
 */
export function readDdlMessage(content: string, key: DdlKey, xid: number | string): DdlMessage | null {
  const signature = Buffer.from(content.slice(0, digestLength), 'latin1');
  const body = content.slice(digestLength);
  const expected = Buffer.from(
    sha256(key.second, sha256(key.first, Buffer.from(body, 'utf8'))).toString('hex'),
    'latin1',
  );
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null;
  const message = JSON.parse(body) as DdlMessage & { readonly v: number };
  if (message.v !== 2) throw new RangeError('DDL message of an unknown version');
  return (BigInt(message.xid) & 0xffffffffn) === (BigInt(xid) & 0xffffffffn) ? message : null;
}
