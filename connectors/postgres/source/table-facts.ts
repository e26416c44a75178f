import type pg from 'pg';
import { pause } from '../../../src/core/pause.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { TableName } from '../../../src/core/table.ts';
import type { ColumnFacts, TableFacts, UniqueKeyFacts } from '../../../src/core/table-facts.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { commandTrigger } from './capture-name.ts';
import { FactsAhead, type SeenFacts } from './facts-ahead.ts';
import { filledPartitions } from './filled-partitions.ts';
import { replicaIdentity } from './pgoutput/messages.ts';
import { queueNames } from './queue-names.ts';
import { answeredInTime, connectSide } from './sessions.ts';
import { isOver } from './snapshot-text.ts';
import { isAwaited } from './standby-names.ts';
import { uniqueKeysOf } from './unique-keys.ts';
import { readLabels, readPublished, type WatchedPublication } from './untold-facts.ts';

/**
 * As readCatalogue, a domain by its base type. attmissingval is an array of the one value; only box has another delimiter. `wanted` selects
 * rows of pg_class. Takes no lock on any of them (pg_partition_tree would, on partitions): a COMMIT that waits for the route as its
 * synchronous standby holds its own until we have answered.
 */
export const factsQuery = (wanted: string): string => `
  WITH RECURSIVE step (oid, base, modifier) AS (
    SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT s.oid, t.typbasetype, CASE s.modifier WHEN -1 THEN t.typtypmod ELSE s.modifier END
    FROM step s JOIN pg_type t ON t.oid = s.base AND t.typtype = 'd'
  ), domain AS (
    SELECT s.oid, s.base, s.modifier FROM step s JOIN pg_type t ON t.oid = s.base AND t.typtype <> 'd'
  ), wanted AS (
    ${wanted}
  ), tree (root, oid, level) AS (
    SELECT w.oid, w.oid, 0 FROM wanted w WHERE w.relkind = 'p'
    UNION ALL
    SELECT t.root, i.inhrelid, t.level + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid AND NOT i.inhdetachpending
  ), leaf AS (
    SELECT p.root, c.oid, c.relfilenode, c.relpersistence <> 'p' OR c.relkind = 'f' AS unlogged,
      format('%I.%I', pn.nspname, c.relname) AS label, link.stamp, link.attached
    FROM tree p
    JOIN pg_class c ON c.oid = p.oid AND c.relkind <> 'p' JOIN pg_namespace pn ON pn.oid = c.relnamespace
    CROSS JOIN LATERAL (
      -- Each step up to the root: a partition comes and goes with those that it is a part of.
      SELECT string_agg(i.xmin::text, ',' ORDER BY s.level) AS stamp, bool_or(i.xmin::text <> first.xmin::text) AS attached
      FROM pg_partition_ancestors(c.oid) WITH ORDINALITY s (relid, level)
      JOIN pg_inherits i ON i.inhrelid = s.relid
      JOIN LATERAL (SELECT min(a.xmin::text::int8) AS xmin FROM pg_attribute a WHERE a.attrelid = s.relid) first ON true
      WHERE s.level <= p.level
    ) link
    WHERE p.level > 0
  ), lacking AS (
    -- Of all tables at once: each by itself would look through all columns that there are.
    SELECT o.root, m.attname, array_agg(DISTINCT CASE mt.typdelim WHEN ',' THEN (m.attmissingval::text::text[])[1]
      ELSE btrim(m.attmissingval::text, '{}') END) AS texts
    FROM pg_attribute m JOIN pg_type mt ON mt.oid = m.atttypid
    JOIN (SELECT oid AS root, oid FROM wanted UNION SELECT root, oid FROM leaf) o ON o.oid = m.attrelid
    WHERE m.atthasmissing AND NOT m.attisdropped GROUP BY o.root, m.attname
  )
  SELECT n.nspname AS schema, c.relname AS name, c.oid::text AS id, c.relreplident::text AS identity,
    c.relnatts::int4 AS last, pg_current_snapshot()::text AS snapshot, pg_current_wal_insert_lsn()::text AS position,
    CASE c.relkind WHEN 'r' THEN jsonb_build_object(c.oid::text, c.relfilenode::text)
      ELSE (SELECT COALESCE(jsonb_object_agg(l.oid::text, l.relfilenode::text), '{}') FROM leaf l WHERE l.root = c.oid) END AS storage,
    ARRAY(SELECT l.oid::text FROM leaf l WHERE l.root = c.oid AND l.attached) AS attached,
    ARRAY(SELECT l.label FROM leaf l WHERE l.root = c.oid AND l.unlogged
      UNION ALL SELECT format('%I.%I', n.nspname, c.relname) WHERE c.relkind = 'r' AND c.relpersistence <> 'p' ORDER BY 1) AS unlogged,
    (SELECT jsonb_object_agg(l.oid::text, l.stamp) FROM leaf l WHERE l.root = c.oid) AS links,
    ${uniqueKeysOf('a.attnum')} AS unique_keys,
    ARRAY(
      SELECT json_build_object('id', a.attnum, 'name', a.attname, 'stamp', a.xmin::text, 'dropped', a.attisdropped,
        'generated', a.attgenerated <> '', 'nullable', NOT a.attnotnull, 'type', (SELECT tn.nspname || '.' || t.typname
          FROM pg_type t JOIN pg_namespace tn ON tn.oid = t.typnamespace WHERE t.oid = COALESCE(b.base, a.atttypid)),
        'modifier', CASE a.atttypmod WHEN -1 THEN COALESCE(b.modifier, -1) ELSE a.atttypmod END,
        'key', c.relreplident = 'f' OR c.relreplident <> 'n' AND COALESCE(a.attnum = ANY (key.columns), false),
        'missing', missing.texts)
      FROM pg_attribute a
      LEFT JOIN domain b ON b.oid = a.atttypid
      LEFT JOIN lacking missing ON missing.root = c.oid AND missing.attname = a.attname AND NOT a.attisdropped
      WHERE a.attrelid = c.oid AND a.attnum > 0
      ORDER BY a.attnum
    ) AS columns
  FROM wanted c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns
    FROM pg_index i
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
  ) key ON true`;

const byName = `SELECT c.* FROM unnest($1::text[], $2::text[]) w (schema, name)
    JOIN pg_namespace n ON n.nspname = w.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p')`;

type ColumnRow = Omit<ColumnFacts, 'missing'> & {
  readonly dropped: boolean;
  readonly generated: boolean;
  readonly missing: readonly string[] | null;
};

/** Tables that do not exist are missing from the result. `trigger`: see `commandTrigger`. */
export async function readTableFacts(
  client: pg.Client,
  tables: readonly TableName[],
  trigger: string | null = null,
): Promise<TableFacts[]> {
  return (await readFacts(client, tables, { publication: null, trigger })).map(({ facts }) => facts);
}

interface Watched {
  /** Null where nobody asks since when it has the tables. */
  readonly publication: WatchedPublication | null;
  readonly trigger: string | null;
}

async function readFacts(
  client: pg.Client,
  tables: readonly TableName[],
  { publication, trigger }: Watched,
): Promise<SeenFacts[]> {
  // Prepared: to plan it takes five times as long as to run it, and each table of a route asks once.
  const { rows } = await client.query<Record<string, unknown>>({
    name: 'tl_facts',
    text: factsQuery(byName),
    values: [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  });
  const found = rows.map((row) => ({ facts: factsOf(row), snapshot: String(row.snapshot) }));
  const all = found.map(({ facts }) => facts);
  const labels = await readLabels(client, all, trigger);
  const published = publication === null ? new Map<string, string>() : await readPublished(client, publication, all);
  return found.map(({ facts, snapshot }) => {
    const [own, entry] = [labels.get(facts.id), published.get(facts.id)];
    const untold = { ...own, ...(entry !== undefined && { published: entry }) };
    return { facts: { ...facts, ...untold }, snapshot };
  });
}

/** One row of `factsQuery`. */
export function factsOf(row: Readonly<Record<string, unknown>>): TableFacts {
  const columns = row.columns as ColumnRow[];
  const there = columns.filter(({ dropped }) => !dropped);
  return {
    schema: String(row.schema),
    name: String(row.name),
    id: String(row.id),
    position: formatLsn(parseLsn(String(row.position))),
    identity: replicaIdentity(String(row.identity)),
    columns: there
      .filter(({ generated }) => !generated)
      .map(({ dropped: _, generated: __, missing, ...column }) => ({
        ...column,
        // Partitions that disagree have been written anew in part.
        missing: missing?.length === 1 ? (missing[0] ?? null) : null,
      })),
    generated: there.filter(({ generated }) => generated).map(({ id, name, stamp }) => ({ id, name, stamp })),
    lastColumn: Number(row.last),
    storage: row.storage as Record<string, string>,
    attached: row.attached as string[],
    // Commands that an older engine's function has told have neither.
    ...(Array.isArray(row.unlogged) && row.unlogged.length > 0 ? { unlogged: row.unlogged as string[] } : {}),
    ...(row.links ? { links: row.links as Record<string, string> } : {}),
    ...(row.unique_keys ? { uniqueKeys: row.unique_keys as UniqueKeyFacts[] } : {}),
    stamps: columns.map(({ stamp }) => stamp),
  };
}

/** A commit that was delivered is seen by others a moment later; not later than this where the server is well. */
const visibleWithinMs = 60_000;
/** One whose COMMIT waits for this route is seen by others only when the route has answered, or another standby of a quorum has. */
const awaitedWithinMs = 250;

const [tablesAtOnce, partitionsAtOnce] = [500, 100];

/** Answers on a connection of its own, which is opened when it is first needed. */
export class TableFactsReader {
  readonly #route: RouteDefinition;
  readonly #closed = new AbortController();
  #client: Promise<pg.Client> | null = null;
  readonly #ahead = new FactsAhead();

  constructor(route: RouteDefinition) {
    this.#route = route;
  }

  get #watched(): Watched {
    const { publication, ownsPublication } = queueNames(this.#route);
    return { publication: { name: publication, isOwned: ownsPublication }, trigger: commandTrigger(this.#route) };
  }

  /** See Source.expectFacts. */
  expect(tables: readonly TableName[]): void {
    this.#ahead.expect(tables, (all) => this.#asking((client) => this.#facts(client, all)));
  }

  /** See Source.facts. */
  async read(table: TableName, after: string | null): Promise<TableFacts | null> {
    const ahead = after === null ? null : await this.#ahead.take(table, after);
    return ahead ?? (await this.#readAll([table], after))[0] ?? null;
  }

  /** See Source.catalogue. */
  readAll(tables: readonly TableName[]): Promise<readonly TableFacts[]> {
    // It would be older than what is told now.
    this.#ahead.forget();
    return this.#readAll(tables, null);
  }

  /** See Source.filled. */
  filled(table: TableName, partitions: readonly string[]): Promise<readonly string[]> {
    return this.#asking(async (client) => {
      const filled: string[] = [];
      // Each of them is looked into: of very many that came together the server would not answer in time.
      for (let at = 0; at < partitions.length; at += partitionsAtOnce) {
        const some = partitions.slice(at, at + partitionsAtOnce);
        filled.push(...(await this.#inTime(client, () => filledPartitions(client, table, some))));
      }
      return filled;
    });
  }

  async #readAll(tables: readonly TableName[], after: string | null): Promise<readonly TableFacts[]> {
    return await this.#asking(async (client) => {
      const isSeen = after === null || (await this.#untilVisible(client, after, tables));
      const facts = (await this.#facts(client, tables)).map((seen) => seen.facts);
      return isSeen ? facts : facts.map((table) => ({ ...table, isBehind: true }));
    });
  }

  /** The first look is at all of a route's tables: of very many the server would not answer in time. */
  async #facts(client: pg.Client, tables: readonly TableName[]): Promise<SeenFacts[]> {
    const facts: SeenFacts[] = [];
    for (let at = 0; at < tables.length; at += tablesAtOnce) {
      const some = tables.slice(at, at + tablesAtOnce);
      facts.push(...(await this.#inTime(client, () => readFacts(client, some, this.#watched))));
    }
    return facts;
  }

  /** The stream goes on behind what is asked here: a server that has fallen silent would hold its end up for as long as the network does. */
  #inTime<T>(client: pg.Client, ask: () => Promise<T>): Promise<T> {
    return answeredInTime(client, this.#route.from, ask);
  }

  async #asking<T>(ask: (client: pg.Client) => Promise<T>): Promise<T> {
    // A session that is opened now nobody would end.
    this.#closed.signal.throwIfAborted();
    try {
      this.#client ??= connectSide(this.#route.from, this.#route, 'catalogue');
      return await ask(await this.#client);
    } catch (error) {
      this.#disconnect();
      throw classifyPostgresError(error, this.#route.from.name);
    }
  }

  /**
   * PostgreSQL can deliver a transaction before a new snapshot sees it: what it has done to the catalogue neither. Where the route is a synchronous
   * standby it is not over before the route has answered, and waits for us: one that has only written rows is not waited for, others no longer than
   * another standby may need. False where the catalogue may be as of before it.
   */
  async #untilVisible(client: pg.Client, xid: string, tables: readonly TableName[]): Promise<boolean> {
    let isWaitedFor = false;
    let deadlineMs = performance.now() + visibleWithinMs;
    for (;;) {
      const { rows } = await this.#inTime(client, () => client.query('SELECT pg_current_snapshot()::text AS snapshot'));
      if (isOver(xid, String(rows[0]?.snapshot))) return true;
      if (!(await this.#inTime(client, () => mayAlter(client, xid, tables)))) return true;
      // Of a stream that begins COMMITs wait as soon as it has caught up.
      if (!isWaitedFor && (await this.#inTime(client, () => isAwaited(client, this.#route)))) {
        isWaitedFor = true;
        deadlineMs = performance.now() + awaitedWithinMs;
      }
      if (performance.now() > deadlineMs) return false;
      await pause(5, this.#closed.signal);
      this.#closed.signal.throwIfAborted();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#disconnect();
  }

  /** One that is still being made is ended once it is there: nobody waits for it. */
  #disconnect(): void {
    const connecting = this.#client;
    this.#client = null;
    connecting
      ?.then(async (client) => {
        client.connection.stream.destroy();
        await client.end();
      })
      .catch(() => {});
  }
}

/**
 * A transaction that is not over has whatever locks it has taken: to change what the catalogue says of a table, or of its partitions, takes one that is stronger
 * than to write rows.
 */
async function mayAlter(client: pg.Client, xid: string, tables: readonly TableName[]): Promise<boolean> {
  const { rows } = await client.query({
    name: 'tl_alters',
    text: `
      WITH RECURSIVE named AS (
        SELECT c.oid FROM unnest($2::text[], $3::text[]) w (schema, name)
        JOIN pg_namespace n ON n.nspname = w.schema
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
      ), tree AS (
        SELECT oid FROM named
        UNION
        SELECT i.inhrelid FROM tree t JOIN pg_class p ON p.oid = t.oid AND p.relkind = 'p' JOIN pg_inherits i ON i.inhparent = t.oid
      )
      SELECT (SELECT count(*) FROM named) < cardinality($2::text[]) OR EXISTS (
        SELECT FROM pg_locks own JOIN pg_locks held USING (virtualtransaction)
        WHERE own.locktype = 'transactionid' AND own.transactionid = $1::xid AND own.mode = 'ExclusiveLock' AND own.granted
          AND held.locktype = 'relation' AND held.granted
          AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND held.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
          AND held.relation IN (SELECT oid FROM tree)
      ) AS yes`,
    values: [xid, tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  });
  return rows[0]?.yes === true;
}
