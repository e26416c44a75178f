import { transformMutations } from './transform-mutations.ts';

/** One deliberate defect: the test must go red with it. */
export interface Mutation {
  readonly id: string;
  /** Of the promises in docs/architecture.md. */
  readonly promise: number;
  readonly what: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly test: { readonly file: string; readonly name: string };
}

export const mutations: readonly Mutation[] = [
  {
    id: 'ack-beyond-the-commit',
    promise: 1,
    what: 'acknowledges one byte too many, so that the server skips an adjacent commit after a restart',
    file: 'connectors/postgres/source/replication-stream.ts',
    find: 'acknowledge(formatLsn(lsn - 1n), askForReply)',
    replace: 'acknowledge(formatLsn(lsn), askForReply)',
    test: { file: 'test/integration/collector/collector-resume.test.ts', name: 'the source is told exactly' },
  },
  {
    id: 'ack-before-the-flush',
    promise: 1,
    what: 'acknowledges what is visible at the target and not yet on its disk',
    file: 'connectors/postgres/target/postgres-consumer.ts',
    find: 'this.#report(commit.position, asynchronousCommit ? this.#durable : commit.position);',
    replace: 'this.#report(commit.position, commit.position);',
    test: { file: 'test/crash/failpoints.test.ts', name: 'kill -9 at ack.sent, of the target' },
  },
  {
    id: 'part-of-a-transaction',
    promise: 2,
    what: 'commits at the target in the middle of a source transaction',
    file: 'connectors/postgres/target/group.ts',
    find: 'return { parts, rows, commit: parts.at(-1)?.commit ?? null, lastCommit };',
    replace:
      "return { parts, rows, commit: parts.at(-1)?.commit ?? { position: '0/1' as Commit['position'], atMs: 0, id: '' }, lastCommit };",
    test: { file: 'test/property/replay.property.test.ts', name: 'applied as postgres' },
  },
  {
    id: 'count-unchecked',
    promise: 2,
    what: 'does not look at how many rows a statement has touched',
    file: 'connectors/postgres/target/batch.ts',
    find: 'if (result.rowCount !== expected)',
    replace: 'if (result.rowCount === -1)',
    test: { file: 'test/integration/route/collisions.test.ts', name: 'an update finds no row' },
  },
  {
    id: 'parked-keys-do-not-block',
    promise: 2,
    what: 'applies what touches the key of a parked transaction',
    file: 'connectors/postgres/target/parking/claim-set.ts',
    find: 'return held.exclusive.has(digest) || (exclusive && held.shared.has(digest));',
    replace: 'return false;',
    test: { file: 'test/integration/consumer/parking.test.ts', name: 'parks behind it: the same row' },
  },
  {
    id: 'old-values-of-the-parked-forgotten',
    promise: 2,
    what: 'does not read the old unique and foreign values that the log leaves out',
    file: 'connectors/postgres/target/parking/table-claims.ts',
    find: 'for (const image of [before, old]) if (image !== null) this.#claimTaken(image, claim);',
    replace: 'if (before !== null) this.#claimTaken(before, claim);',
    test: { file: 'test/integration/consumer/parking.test.ts', name: 'the end of a parent that a parked child' },
  },
  {
    id: 'retried-in-any-order',
    promise: 2,
    what: 'tries a parked transaction before the earlier one that it waits for',
    file: 'connectors/postgres/target/parking/parked-work.ts',
    find: 'const isFree = isChosen && !claims?.some((claim) => staying.conflicts(claim));',
    replace: 'const isFree = isChosen;',
    test: { file: 'test/integration/consumer/parking.test.ts', name: 'one of several is retried' },
  },
  {
    id: 'retried-and-still-parked',
    promise: 3,
    what: 'commits the rows of a retried transaction before it leaves the store',
    file: 'connectors/postgres/target/postgres-consumer.ts',
    find: '    await this.#parkedWork.unpark(parked);',
    replace:
      "    await this.#connection.client.query('commit');\n    await this.#connection.client.query('begin');\n    failpoint('retry.taken');\n    await this.#parkedWork.unpark(parked);",
    test: { file: 'test/crash/parking.test.ts', name: 'kill -9 at retry.taken' },
  },
  {
    id: 'definition-parked',
    promise: 5,
    what: 'parks what a missing privilege refuses, and so everything after it',
    file: 'connectors/postgres/target/parking/parkable.ts',
    find: 'const ofTheData = /^(21|22|23|27|44|54|P0)/;',
    replace: 'const ofTheData = /^(21|22|23|27|42|44|54|P0)/;',
    test: { file: 'test/integration/consumer/parking.test.ts', name: 'what is wrong with the target' },
  },
  {
    id: 'checkpoint-in-a-transaction-of-its-own',
    promise: 3,
    what: 'commits the rows before the checkpoint',
    file: 'connectors/postgres/target/postgres-consumer.ts',
    find: "    batch.send({\n      name: 'tl_checkpoint',",
    replace: "    batch.send('commit');\n    batch.send('begin');\n    batch.send({\n      name: 'tl_checkpoint',",
    test: { file: 'test/crash/failpoints.test.ts', name: 'kill -9 at commit.before, of the worker' },
  },
  {
    id: 'epoch-unchecked',
    promise: 4,
    what: 'applies without a look at the epoch',
    file: 'connectors/postgres/target/postgres-consumer.ts',
    find: 'if (rows[0]?.epoch !== epoch) throw fail(routeErrors.fenced',
    replace: "if (rows[0]?.epoch === '-1') throw fail(routeErrors.fenced",
    test: { file: 'test/integration/route/halts.test.ts', name: 'an engine whose epoch is over' },
  },
  {
    id: 'fenced-takes-back',
    promise: 4,
    what: 'an engine that was replaced stands by and takes the route back',
    file: 'src/supervisor/route-runner.ts',
    find: 'const last = this.#epoch;',
    replace: 'const last = null as bigint | null;',
    test: { file: 'test/crash/engines.test.ts', name: 'a frozen engine is replaced' },
  },
  {
    id: 'numeric-rounds',
    promise: 5,
    what: 'lets a numeric of less scale pass',
    file: 'connectors/postgres/target/type-fit.ts',
    find: 'return to.scale >= from.scale && ',
    replace: 'return ',
    test: { file: 'test/integration/route/halts.test.ts', name: 'a numeric of less scale' },
  },
  {
    id: 'schema-change-unnoticed',
    promise: 5,
    what: 'goes on over a changed table definition',
    file: 'src/pipeline/schema-guard.ts',
    find: 'if (acceptedTo === null || !order.covers(acceptedTo, at)) {',
    replace: 'if (acceptedTo !== null && !order.covers(acceptedTo, at)) {',
    test: { file: 'test/integration/route/route.test.ts', name: 'a changed table definition' },
  },
  {
    id: 'budget-never-pauses',
    promise: 6,
    what: 'reads on whatever is in flight',
    file: 'src/core/byte-budget.ts',
    find: 'if (!this.#paused && this.#usedBytes >= this.limitBytes) this.#set(true);',
    replace: '',
    test: { file: 'test/crash/memory.test.ts', name: 'a transaction larger than the budget' },
  },
  {
    id: 'marker-left-out',
    promise: 7,
    what: 'writes without the origin marker',
    file: 'connectors/postgres/target/postgres-consumer.ts',
    find: "text: `select pg_logical_emit_message(true, 'tidelock.origin', $1::text)`,",
    replace: 'text: `select $1::text`,',
    test: { file: 'test/integration/route/two-way.test.ts', name: 'no change comes back' },
  },
  {
    id: 'queue-of-a-killed-load-is-kept',
    promise: 8,
    what: 'goes on with the slot that an interrupted load has left',
    file: 'src/supervisor/route-attempt.ts',
    find: "if (checkpoint === null || checkpoint.phase === 'creating') {",
    replace: 'if (checkpoint === null) {',
    test: { file: 'test/crash/failpoints.test.ts', name: 'kill -9 at slot.created' },
  },
  {
    id: 'dead-engine-looks-alive',
    promise: 9,
    what: 'shows the last report of an engine whose lease has expired',
    file: 'src/cli/route-view.ts',
    find: 'if (holder !== null && holder.expiresInMs > 0) {',
    replace: 'if (holder !== null) {',
    test: { file: 'test/unit/route-view.test.ts', name: 'engine' },
  },
  {
    id: 'value-in-a-message',
    promise: 10,
    what: "passes the server's message on, which quotes the value",
    file: 'connectors/postgres/target/careful-apply.ts',
    find: "found: `meets another row with the same ${result.constraint ?? 'unique key'}`,",
    replace: "found: `meets ${(result as { detail?: string }).detail ?? ''}`,",
    test: { file: 'test/integration/route/collisions.test.ts', name: 'another row with the same unique value' },
  },
  ...transformMutations,
];
