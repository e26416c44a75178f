import type pg from 'pg';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Group } from '../../sql/apply/group.ts';
import { Batch } from './batch.ts';
import type { GroupWriter } from './group-writer.ts';
import type { LoadApply } from './load-apply.ts';
import { isOff, type TargetTransaction } from './target-transaction.ts';

export interface ChunkWriterOptions {
  readonly client: pg.Client;
  readonly route: string;
  readonly loads: LoadApply;
  readonly target: TargetTransaction;
  readonly writer: GroupWriter;
  readonly aside: { readonly parksAny: boolean };
}

/** Rows of a load with how far it is, or its begin. The rows of a chunk are not there, as a rule: only then COPY takes them. */
export async function writeChunk(group: Group, options: ChunkWriterOptions): Promise<void> {
  const { client, route, loads, target, writer, aside } = options;
  const [{ chunk, begins, commit } = {}] = group.parts;
  if (commit === null || commit === undefined) throw new RangeError('a load without a commit');
  if (aside.parksAny) throw fail(targetErrors.loadWhileParked, { route });
  const beganMs = performance.now();
  for (const isEmpty of [true, false]) {
    const batch = new Batch(client);
    target.begin(batch, group);
    try {
      if (begins !== undefined) {
        await batch.settle();
        await loads.begin(begins);
      }
      if (chunk?.empties !== undefined) {
        await batch.settle();
        await loads.empty(chunk);
      }
      if (chunk !== undefined) loads.send(batch, chunk, isEmpty);
      writer.sendCheckpoint(batch, group);
      await batch.settle();
      break;
    } catch (error) {
      if (chunk === undefined || !isOff(error)) throw error;
      if (!isEmpty || !loads.isTaken(error, chunk)) throw loads.refused(error, chunk, commit.position);
      await target.rollBack();
    }
  }
  failpoint('chunk.sent');
  if (begins !== undefined) loads.begun(begins);
  if (chunk !== undefined) loads.sent(chunk);
  await writer.commit(group, commit);
  if (chunk !== undefined) chunk.appliedMs = performance.now() - beganMs;
  failpoint('chunk.applied');
}
