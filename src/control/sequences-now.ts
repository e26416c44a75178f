import { carrySequences, type SequenceReport } from '../operations/carry-sequences.ts';
import { TableMapper } from '../pipeline/table-mapper.ts';
import type { JournalEntry } from './journalled.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import type { OpenedRoute } from './open-route.ts';

/** `sequences --json`. */
export interface SequencesDocument {
  readonly version: 1;
  readonly route: string;
  readonly target: NodePlace;
  readonly sequences: readonly SequenceReport[];
}

export async function sequencesNow(
  { definition, source, target }: OpenedRoute,
  entry: JournalEntry,
): Promise<SequencesDocument> {
  const { name, tables, to, sequences: which } = definition;
  await tables.prepare();
  await entry.begin();
  const sequences = await carrySequences({ source, target, mapper: new TableMapper(name, tables), which });
  return { version: 1, route: name, target: placeOfNode(to), sequences };
}
