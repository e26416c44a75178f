import type pg from 'pg';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { PreparedQueue, PrepareRequest } from '../../../src/core/source.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { createPublication, createSlot } from './create-queue.ts';
import { captureDdl } from './ddl-capture.ts';
import { lockQueue } from './queue-lock.ts';
import { queueNames } from './queue-names.ts';
import { readWritten } from './read-status.ts';
import { connectReplication } from './replication-client.ts';
import { type Queryable, queuePurpose, withSide } from './sessions.ts';
import { dropSlot, readSlot } from './slot.ts';

/**
 * What a prepared queue is told by, as the comment of its publication: a copy of the whole server by other means takes the place of
 * whatever is stored at the target, so that it has to stand at the source. `at` is null until there is a slot: what was begun
 * and not ended is begun anew.
 */
interface Mark {
  readonly at: string | null;
  readonly copiedAt: string | null;
  /** Who has asked, for people: the journal is at the target, which may not be there yet. */
  readonly by: string;
}

const prefix = 'prepared for a copy: ';

/**
 * Publication and slot for a route that has none. The mark is there as soon as the publication is: an engine that starts
 * meanwhile leaves both alone.
 */
export async function prepareQueue(
  route: RouteDefinition,
  { copiedAt, by }: PrepareRequest,
  signal: AbortSignal,
): Promise<PreparedQueue> {
  const { slot, publication, ownsPublication } = queueNames(route);
  if (!ownsPublication) throw fail(sourceErrors.preparedGiven, { route: route.name });
  await using _ = await lockQueue(route);
  const known = await withSide(route, queuePurpose, async (client) => {
    const mark = await readMark(client, publication);
    if (mark !== null && mark.at !== null) return await fitting(client, route, mark, mark.at);
    const there = await client.query('SELECT FROM pg_publication WHERE pubname = $1', [publication]);
    if (mark === null && (there.rows.length > 0 || (await readSlot(client, slot)) !== null))
      throw fail(sourceErrors.queueInUse, { route: route.name, slot, publication });
    await dropSlot(client, slot);
    await client.query('BEGIN');
    await client.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(publication)}`);
    await createPublication(client, route);
    await note(client, publication, { at: null, copiedAt: null, by });
    await client.query('COMMIT');
    await captureDdl(client, route);
    return null;
  });
  if (known !== null) {
    const { position } = known;
    if (copiedAt !== null)
      await withSide(route, queuePurpose, async (client) => {
        await demandReached(client, route, { from: position, copiedAt });
        await note(client, publication, { at: position, copiedAt, by });
      });
    return { position, copiedAt: copiedAt ?? known.copiedAt, snapshot: null, close: async () => {} };
  }
  if (copiedAt !== null) throw fail(sourceErrors.preparedMoved, { route: route.name, why: notPrepared });
  const exporter = await connectReplication(route, queuePurpose);
  const close = async (): Promise<void> => {
    exporter.connection.stream.destroy();
    await exporter.end().catch(() => {});
  };
  try {
    const made = await createSlot(exporter, { route, name: slot, signal });
    failpoint('prepare.slot');
    const position = formatLsn(parseLsn(made.position));
    await withSide(route, queuePurpose, (client) => note(client, publication, { at: position, copiedAt: null, by }));
    return { position, copiedAt: null, snapshot: made.snapshot, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const notPrepared = 'there was none before the copy: it was made by this call, which has to be followed by a new copy';

/** Where a route begins whose queue was prepared. */
export async function readPrepared(client: Queryable, route: RouteDefinition): Promise<Position | null> {
  const { publication, ownsPublication } = queueNames(route);
  const mark = ownsPublication ? await readMark(client, publication) : null;
  if (mark === null) return null;
  if (mark.at === null)
    throw fail(sourceErrors.preparedMoved, { route: route.name, why: '"tidelock prepare" has not ended' });
  const { position, copiedAt } = await fitting(client, route, mark, mark.at);
  return copiedAt ?? position;
}

async function fitting(client: Queryable, route: RouteDefinition, { copiedAt }: Omit<Mark, 'by'>, at: string) {
  const { slot: name } = queueNames(route);
  const slot = await readSlot(client, name);
  const why =
    slot === null
      ? `slot ${name} is gone`
      : (slot.unsuitable ??
        slot.lost ??
        // Whoever has read from it has told the server what may go.
        (slot.confirmedLsn !== parseLsn(at) ? `slot ${name} has been read from since` : null));
  if (why !== null) throw fail(sourceErrors.preparedMoved, { route: route.name, why });
  return { position: at as Position, copiedAt: copiedAt as Position | null };
}

async function demandReached(
  client: pg.Client,
  route: RouteDefinition,
  { from, copiedAt }: { readonly from: Position; readonly copiedAt: Position },
): Promise<void> {
  const end = await readWritten(client);
  const at = parseLsn(copiedAt);
  if (at < parseLsn(from) || at > end)
    throw fail(sourceErrors.copiedElsewhere, { route: route.name, position: copiedAt, from, to: formatLsn(end) });
}

async function readMark(client: Queryable, publication: string): Promise<Omit<Mark, 'by'> | null> {
  const { rows } = await client.query(
    `SELECT obj_description(oid, 'pg_publication') AS mark FROM pg_publication WHERE pubname = $1`,
    [publication],
  );
  const text = rows[0]?.mark;
  if (typeof text !== 'string' || !text.startsWith(prefix)) return null;
  const { at = null, copiedAt = null } = JSON.parse(text.slice(prefix.length)) as Partial<Mark>;
  return { at, copiedAt };
}

async function note(client: pg.Client, publication: string, mark: Mark): Promise<void> {
  const text = `${prefix}${JSON.stringify(mark)}`;
  await client.query(`COMMENT ON PUBLICATION ${quoteIdentifier(publication)} IS ${quoteLiteral(text)}`);
}
