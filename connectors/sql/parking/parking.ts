import type { Row } from '../../../src/core/cell.ts';
import { type Change, isRowChange, type RowChange, type UnmappedChange } from '../../../src/core/change.ts';
import { encodeChanges } from '../../../src/core/change-codec.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { ParkedCount, ParkedTable } from '../../../src/core/parked.ts';
import type { Position, PositionOrder } from '../../../src/core/position.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { Commit, TransactionPart } from '../../../src/core/transaction.ts';
import { isIdle } from '../apply/group.ts';
import { type Claim, ClaimSet } from './claim-set.ts';
import type { Decision, ParkingStore, ParkWhy } from './parking-store.ts';
import type { ClaimedPlan, TableClaims } from './table-claims.ts';

/** Digests that a route keeps in memory, about 10 MB, and that are stored of one transaction. */
const loadedDigests = 100_000;
const storedDigests = 10_000;

/** A stored piece is about this large, unless one row is larger. */
const pieceRows = 1_000;
const pieceBytes = 1_000_000;

/** Claimed as exclusive by a transaction of which nobody knows what it holds, and as shared by those that wait for it. */
const everyRow: Claim = { resource: 'every row', exclusive: false, digest: null };

/** A transaction that is being written to the store, over one group or several. */
interface Writing {
  readonly id: string;
  readonly claims: ClaimSet;
  readonly tables: Map<string, Mutable<ParkedTable>>;
  /** It was decided before that this one is set aside. */
  readonly decided: boolean;
  parts: number;
  rows: number;
  bytes: number;
  /** Old values of some of its rows are not known: these rows were not at the target. */
  incomplete: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Tables as changes name them, each with its plan. */
export interface PlansOf<P> {
  get(table: TableVersion): P;
}

/** What a connector knows of its tables. */
export interface ParkedTables<P> {
  /** By plan; of a table that is not there none. */
  claims(plans: readonly P[]): Promise<ReadonlyMap<P, TableClaims>>;
  /** Old values of `columns`, of the rows that changes are about, as they are at the target. Null of rows that are not there, and of changes without an old row undefined. */
  oldRows(
    plan: P,
    columns: readonly number[],
    changes: readonly RowChange[],
  ): Promise<(change: RowChange) => Row | null | undefined>;
}

export interface ParkingOptions<P> {
  readonly store: ParkingStore;
  readonly tables: ParkedTables<P>;
  readonly route: string;
  /** Of the source. */
  readonly order: PositionOrder;
}

/**
 * Transactions that were set aside, and what follows from them.
 *
 * A source transaction is parked whole or not at all. Its changes, as they were mapped, its error, and digests of the
 * keys that it touches are written in the target transaction whose checkpoint passes it: after a crash it is either
 * parked, or read again. From then on the target is not the source at some commit but that without the parked
 * transactions; so every later transaction that touches a parked key parks behind, whole too, and its keys with it. What
 * is applied meanwhile touches none of the parked keys: it can't tell whether the parked ones ran before it or will run
 * after it, and that is why they can be retried later, in source order among themselves (table-claims.ts tells which
 * changes depend on each other).
 *
 *     met, and touches nothing parked ── applied ── refused by the target, onError: park ──┐
 *     met, and touches a parked key ───────────────────────────────────────────────────────┼── parked ── retried, discarded
 *     met, and named by `tidelock skip` ───────────────────────────────────────────────────┘
 *
 * A large transaction is applied in parts, and by the time that a part fails the others are no longer in memory. Then
 * the target transaction is rolled back, the decision is stored beside the checkpoint (table `skips`), and the stream
 * is read again from there: this time each part goes straight to the store, behind one target transaction like any
 * other, so that memory stays bounded. `tidelock skip` stores the same decision. It names the transaction, and its end
 * where that was known; it is used up in the target transaction that parks it.
 *
 * While nothing is parked and nothing is to be skipped `active` is false, and that is all a group ever looks at. The
 * digests in memory are bounded: beyond the limit a whole table is blocked instead of single keys of it.
 */
export class Parking<P extends ClaimedPlan> {
  readonly #options: ParkingOptions<P>;
  readonly #held = new ClaimSet(loadedDigests);
  readonly #claims = new WeakMap<P, TableClaims>();
  #decision: Decision | null = null;
  /** One whose transaction was passed, and that is still stored. */
  #passed: Decision | null = null;
  #writing: Writing | null = null;
  #count: ParkedCount = { count: 0, since: null };

  constructor(options: ParkingOptions<P>) {
    this.#options = options;
  }

  /** Reads what is parked, with the checkpoint at `position`; also after something was taken out. */
  async load(position: Position): Promise<void> {
    const { store, order } = this.#options;
    this.#held.clear();
    // On a session that sends both at once.
    const decision = store.decision();
    decision.catch(() => {});
    this.#count = await store.count();
    const decided = await decision;
    const isPassed = decided !== null && decided.position !== null && order.covers(position, decided.position);
    this.#decision = isPassed ? null : decided;
    this.#passed = isPassed ? decided : null;
    if (this.#count.count === 0) return;
    for (const { resource, exclusive, digests } of await store.resources()) {
      if (this.#held.size + digests > loadedDigests) {
        this.#held.add({ resource, exclusive, digest: null });
        continue;
      }
      for (const digest of await store.digests(resource, exclusive)) this.#held.add({ resource, exclusive, digest });
    }
  }

  /** Something is parked, or to be skipped: each transaction has to be looked at. */
  get active(): boolean {
    return this.#count.count > 0 || this.#decision !== null;
  }

  /** The first parts of the transaction that comes next were written to the store already. */
  get writing(): boolean {
    return this.#writing !== null;
  }

  get count(): ParkedCount {
    return this.#count;
  }

  /** Why the transaction has to be set aside, as far as these parts of it tell; null where it is free. */
  async verdict(parts: readonly TransactionPart[], plans: PlansOf<P>): Promise<ParkWhy | null> {
    const [first] = parts;
    if (first === undefined || parts.every(isIdle)) return null;
    const decision = this.#decision;
    const position = parts.at(-1)?.commit?.position ?? null;
    if (decision !== null && decision.transaction === first.id) {
      if (decision.position === null || position === null || decision.position === position) return decision.why;
    }
    if (this.#held.empty) return null;
    const resource = await this.#conflict(parts, plans);
    if (resource === null) return null;
    const place = { route: this.#options.route, transaction: first.id, resource };
    const { code, message, remedy } = fail(targetErrors.parkedBehind, place);
    return { cause: 'behind', code, message, remedy, reason: null, askedBy: null };
  }

  /**
   * Writes parts of one transaction into the open target transaction, with the last one also what it holds. They count
   * as parked from `committed` on.
   */
  async write(parts: readonly TransactionPart[], why: ParkWhy, plans: PlansOf<P>): Promise<void> {
    const [first] = parts;
    if (first === undefined) return;
    this.#writing ??= await this.#begin(first, why);
    const writing = this.#writing;
    for (const part of parts) {
      await this.#claimParts(part, plans, writing);
      await this.#store(part, writing);
    }
    failpoint('park.part');
    const commit = parts.at(-1)?.commit ?? null;
    if (commit !== null) await this.#finish(first, commit, writing);
  }

  /**
   * In a target transaction: adds the old values of a parked transaction's rows that have come since it was parked. Of changes that are unmapped by now every
   * key of their tables.
   */
  async claimAgain(id: number, parts: readonly TransactionPart[], plans: PlansOf<P>): Promise<void> {
    const claims = new ClaimSet(storedDigests);
    const writing = { id: String(id), claims, decided: false, parts: 0, rows: 0, bytes: 0, incomplete: false };
    for (const part of parts) await this.#claimParts(part, plans, { ...writing, tables: new Map() });
    await this.#storeClaims(String(id), claims);
  }

  /** In a target transaction: which keys it holds is not known, so that whatever comes waits for it. */
  async claimEvery(id: number): Promise<void> {
    await this.#options.store.addClaims(String(id), [{ ...everyRow, exclusive: true }]);
  }

  /** In a target transaction: it is known what all of it holds, so that what comes waits for that alone. */
  async claimedAll(id: number): Promise<void> {
    await this.#options.store.dropClaims(String(id), { ...everyRow, exclusive: true });
  }

  /** The target transaction that has written one is committed. */
  committed(position: Position): void {
    const writing = this.#writing;
    if (writing === null) return;
    for (const claim of writing.claims.claims()) this.#held.add(claim);
    this.#count = { count: this.#count.count + 1, since: this.#count.since ?? position };
    if (writing.decided) this.#decision = null;
    this.#writing = null;
  }

  rolledBack(): void {
    this.#writing = null;
  }

  /** Stores that the transaction is to be set aside when it is met again. In a target transaction of its own. */
  async decide(part: TransactionPart, why: ParkWhy): Promise<void> {
    await this.#options.store.decide(part, why);
    failpoint('park.decided');
  }

  /** What was read of a decision whose transaction was passed is deleted, by `run` in a target transaction of its own. */
  async settle(run: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const passed = this.#passed;
    this.#passed = null;
    if (passed !== null) await run(() => this.#options.store.voidDecision(passed));
  }

  /** The transaction that it is about is another one than was meant. In a target transaction: another engine's, or a later one, is not to go. */
  async forgetDecision(): Promise<void> {
    const decision = this.#decision;
    this.#decision = null;
    if (decision !== null) await this.#options.store.voidDecision(decision);
  }

  /** What they have in common with what is parked; null where nothing. */
  async #conflict(parts: readonly TransactionPart[], plans: PlansOf<P>): Promise<string | null> {
    if (this.#held.conflicts(everyRow) && parts.some(({ changes }) => changes.some(isOfRows))) return everyRow.resource;
    await this.#prepare(parts, plans);
    const meets = { resource: null as string | null };
    const claim = (one: Claim): void => {
      if (meets.resource === null && this.#held.conflicts(one)) meets.resource = one.resource;
    };
    let last: P | null = null;
    let concerned = false;
    for (const part of parts) {
      for (const change of part.changes) {
        const row = this.#keyed(change, plans);
        if (row !== null) {
          const plan = plans.get(row.table);
          if (plan !== last) {
            last = plan;
            concerned = this.#claimsOf(plan).resources.some((resource) => this.#held.has(resource));
          }
          if (concerned) this.#claimsOf(plan).later(row, claim);
        } else if (change.kind === 'truncate' || change.kind === 'unmapped') {
          // Of what has no keys yet every key counts.
          for (const table of change.tables) this.#claimsOf(plans.get(table)).truncate(claim);
        }
        if (meets.resource !== null) return meets.resource;
      }
    }
    return null;
  }

  /** The change of a row whose keys are all known; null of others. */
  #keyed(change: Change, plans: PlansOf<P>): RowChange | null {
    if (isRowChange(change)) return change;
    if (change.kind !== 'unmapped' || change.known === undefined) return null;
    const { change: row, lacking } = change.known;
    return this.#claimsOf(plans.get(row.table)).hasKeyOf(lacking) ? null : row;
  }

  async #prepare(parts: readonly TransactionPart[], plans: PlansOf<P>): Promise<void> {
    const missing = new Set<P>();
    for (const { changes } of parts)
      for (const change of changes) {
        const isWhole = change.kind === 'truncate' || change.kind === 'unmapped';
        const tables = isWhole ? change.tables : isRowChange(change) ? [change.table] : [];
        for (const table of tables) {
          const plan = plans.get(table);
          if (!this.#claims.has(plan)) missing.add(plan);
        }
      }
    if (missing.size === 0) return;
    const claims = await this.#options.tables.claims([...missing]);
    for (const plan of missing) {
      const known = claims.get(plan);
      if (known === undefined) throw fail(targetErrors.tableMissing, { route: this.#options.route, table: plan.label });
      this.#claims.set(plan, known);
    }
  }

  #claimsOf(plan: P): TableClaims {
    const claims = this.#claims.get(plan);
    if (claims === undefined) throw new RangeError(`the keys of ${plan.label} were not read`);
    return claims;
  }

  async #begin(part: TransactionPart, why: ParkWhy): Promise<Writing> {
    const id = await this.#options.store.begin(part, why);
    const claims = new ClaimSet(storedDigests);
    const decided = this.#decision?.transaction === part.id;
    return { id, claims, decided, tables: new Map(), parts: 0, rows: 0, bytes: 0, incomplete: false };
  }

  /** The keys that the part touches, with the old values as the target has them: nothing of the transaction is there. */
  async #claimParts(part: TransactionPart, plans: PlansOf<P>, writing: Writing): Promise<void> {
    await this.#prepare([part], plans);
    const claim = (one: Claim): void => writing.claims.add(one);
    // Those that wait for it are told apart from those that don't.
    if (this.#held.conflicts(everyRow)) claim(everyRow);
    const byPlan = new Map<P, RowChange[]>();
    /** Of those that have no value yet. */
    const unmapped = new Set<RowChange>();
    for (const change of part.changes) {
      const row = this.#keyed(change, plans);
      if (row !== null) {
        const plan = plans.get(row.table);
        if (change.kind === 'unmapped') {
          unmapped.add(row);
          countUnmapped(tableOf(writing, plan), change);
        } else countRow(tableOf(writing, plan), row);
        const changes = byPlan.get(plan);
        if (changes === undefined) byPlan.set(plan, [row]);
        else changes.push(row);
      } else if (change.kind === 'truncate' || change.kind === 'unmapped') {
        for (const table of change.tables) {
          if (change.kind === 'truncate') tableOf(writing, plans.get(table)).truncates++;
          else countUnmapped(tableOf(writing, plans.get(table)), change);
          this.#claimsOf(plans.get(table)).truncate(claim);
        }
      }
    }
    for (const [plan, changes] of byPlan) {
      const claims = this.#claimsOf(plan);
      const oldRow = await this.#options.tables.oldRows(plan, claims.fetched, changes);
      for (const change of changes) {
        const old = oldRow(change);
        if (old === null && change.kind !== 'insert') {
          if (unmapped.has(change)) {
            // Once the row has come nobody could read its old values: the change has to be mapped for that.
            claims.truncate(claim);
            continue;
          }
          writing.incomplete = true;
        }
        claims.parked(change, old ?? null, claim);
      }
    }
  }

  /** Those that are not stored yet. */
  async #storeClaims(id: string, held: ClaimSet): Promise<void> {
    await this.#options.store.addClaims(id, [...held.claims()]);
  }

  async #store(part: TransactionPart, writing: Writing): Promise<void> {
    const perRow = part.bytes / Math.max(1, part.changes.length);
    const step = Math.max(1, Math.min(pieceRows, Math.floor(pieceBytes / Math.max(1, perRow))));
    for (let at = 0; at < part.changes.length; at += step) {
      const piece = part.changes.slice(at, at + step);
      const rows = piece.filter((change) => isRowChange(change) || change.kind === 'unmapped').length;
      const changes = encodeChanges(piece, part);
      await this.#options.store.addPart(writing.id, { part: writing.parts++, rows, changes });
      writing.rows += rows;
      writing.bytes += changes.length;
    }
  }

  async #finish(first: TransactionPart, commit: Commit, writing: Writing): Promise<void> {
    const { store, route } = this.#options;
    const decision = writing.decided ? this.#decision : null;
    // Decided upon another transaction that had the same id: the source was restored and has gone on.
    if (decision !== null && decision.position !== null && decision.position !== commit.position) {
      throw fail(targetErrors.skipStale, { route, transaction: first.id, position: decision.position });
    }
    const { id, rows, bytes, incomplete } = writing;
    await store.finish(id, { commit, rows, bytes, incomplete, tables: [...writing.tables.values()] });
    await this.#storeClaims(id, writing.claims);
    if (decision !== null) await store.useDecision(id, commit.position);
    failpoint('park.written');
  }
}

function isOfRows(change: Change): boolean {
  return isRowChange(change) || change.kind === 'truncate' || change.kind === 'unmapped';
}

function countRow(counts: Mutable<ParkedTable>, { kind }: RowChange): void {
  if (kind === 'insert') counts.inserts++;
  else if (kind === 'update') counts.updates++;
  else counts.deletes++;
}

/** By what it was at the source: what it would have been at the target is not known. */
function countUnmapped(counts: Mutable<ParkedTable>, { change }: UnmappedChange): void {
  if (change.kind === 'truncate') counts.truncates++;
  else countRow(counts, change);
}

function tableOf({ tables }: Writing, { label }: ClaimedPlan): Mutable<ParkedTable> {
  let table = tables.get(label);
  if (table === undefined) {
    table = { table: label, inserts: 0, updates: 0, deletes: 0, truncates: 0 };
    tables.set(label, table);
  }
  return table;
}
