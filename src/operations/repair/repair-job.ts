import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { jobName } from '../../core/job.ts';
import type { Repairer } from '../../core/repairer.ts';
import { chooseHash, freezerOf, openSides, Progress, planTables } from '../compare/compare-job.ts';
import { compareDefaults } from '../compare/compare-options.ts';
import { compareTable, type TableState } from '../compare/compare-table.ts';
import { judgeOf } from '../compare/judge-of.ts';
import type { OtherWay } from '../compare/other-way.ts';
import type { TablePlan } from '../compare/table-plan.ts';
import type { JobWork, RunJob } from '../jobs/job-work.ts';
import { FrozenRepair } from './frozen-repair.ts';
import { canMend, forMending } from './mendable-plan.ts';
import type { RepairDocument, RepairedTable } from './repair-document.ts';
import { type RepairOptions, repairOptions } from './repair-options.ts';
import { type RepairCounts, RepairingJudge } from './repairing-judge.ts';
import { undoRepair } from './undo-repair.ts';

/** Compares, and makes what differs at the target as it is at the source. Needs the stream of the route. */
export const repairJob: RunJob = async (work) => {
  const options = repairOptions(work.job.options);
  const repairer = await work.target.repairer();
  const onAbort = (): void => void repairer.close();
  work.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (options.undo !== null) return { ...(await undoRepair(work, repairer, options.undo)) };
    return { ...(await repair(work, options, repairer)) };
  } finally {
    work.signal.removeEventListener('abort', onAbort);
    await repairer.close();
  }
};

async function repair(work: JobWork, options: RepairOptions, repairer: Repairer): Promise<RepairDocument> {
  const { job, definition, signal, live, source, store, epoch } = work;
  if (live() === null) throw fail(routeErrors.repairNeedsStream, { route: definition.name });
  await using sides = openSides(work);
  const asked = { ...compareDefaults, tables: options.tables, where: options.where, showValues: options.showValues };
  const { mapper, planned: compared } = await planTables(work, asked, sides);
  const planned = compared.map((plan) => (plan.kind === 'plan' ? forMending(plan) : plan));
  const stored = await store.jobs.steps(job.number);
  const hash = await chooseHash(work, sides, stored.get('hash'));
  const digestKey = await store.jobs.digestKey();
  const progress = new Progress(work, planned, stored);
  const otherWay = await demandOtherWay(work, options.otherWay);
  const shared = { route: definition.name, live, mapper, target: sides.target, signal, otherWay };
  const sourceNode = source.originName(await source.identity());
  const before = new Map(
    planned.flatMap(({ target }): [string, RepairCounts][] => {
      const counts = stored.get(stepOf(target));
      return counts === undefined ? [] : [[target, counts as unknown as RepairCounts]];
    }),
  );
  const repairing = new RepairingJudge({ ...shared, repairer, epoch, job: job.number, sourceNode, before });
  const looking = judgeOf({ ...shared, demands: true });
  const judge = options.dryRun ? looking : repairing;
  const freezer = freezerOf(work, sides);
  const mender = new FrozenRepair({
    freezer,
    write: (plan, rows, position) => repairing.write(plan, rows, position),
    left: (plan, rows) => repairing.left(plan, rows),
    refused: (plan, columns) => repairing.refused(plan, columns),
    giveUp: () => void repairer.close(),
  });
  for (const plan of planned) {
    if (plan.kind === 'unverified' || progress.stateOf(plan).done) continue;
    const onState = async (state: TableState): Promise<void> => {
      // First: a chunk that is done again counts what it could not mend once more, and never not at all.
      const counts = repairing.counts(plan);
      if (counts.left > 0) await store.jobs.storeSteps(job.number, { [stepOf(plan.target)]: { ...counts } });
      await progress.reached(plan, state);
    };
    const { showValues, maxLoad } = options;
    const { source: here, target } = sides;
    const how = {
      freezer,
      plan,
      hash,
      source: here,
      target,
      mapper,
      judge: plan.left === null ? judge : looking,
      mender: plan.left === null && !options.dryRun && canMend(sides, plan) ? mender : null,
      showValues,
      digestKey,
      sample: null,
      maxLoad,
      signal,
      onState,
    };
    await compareTable(how, progress.stateOf(plan));
  }
  await progress.store();
  const repaired = await repairer.counts(job.number);
  const document = progress.document(asked);
  const alone = new Set<string>();
  for (const plan of planned)
    if (plan.kind === 'plan' && (plan.left !== null || !(await isMendable(plan, repairing, canMend(sides, plan)))))
      alone.add(plan.target);
  const tables = document.tables.map((table): RepairedTable => {
    const plan = planned.find(({ target }) => target === table.target);
    const counts = plan?.kind === 'plan' ? repairing.counts(plan) : { refused: {}, left: 0 };
    // Counted, and not repaired.
    if (alone.has(table.target))
      return { ...table, repaired: 0, refused: {}, left: table.missing + table.extra + table.different };
    return { ...table, repaired: repaired.get(table.target) ?? 0, ...counts };
  });
  const { hosts, database } = definition.to.connection();
  return {
    version: 1,
    route: definition.name,
    job: repaired.size === 0 ? null : jobName(definition.name, job.number),
    dryRun: options.dryRun,
    target: {
      node: definition.to.name,
      host: hosts.map(({ host }) => host).join(','),
      hosts: hosts.map(({ host, port }) => `${host}:${port}`),
      database,
    },
    equal: tables.every((table) => isMended(table, options.dryRun)),
    tables,
  };
}

/** Rows that can't be looked up one by one are mended by their places, where nobody else writes the table at the same time. */
async function isMendable(plan: TablePlan, judge: RepairingJudge, isPlacing: boolean): Promise<boolean> {
  return (isPlacing && judge.isOneWay) || (await judge.tells(plan));
}

/** Who asks may know of a route back that this engine was started before. */
async function demandOtherWay({ otherWay, definition }: JobWork, asked: string | null): Promise<OtherWay | null> {
  const known = await otherWay();
  if (asked !== null && known?.route !== asked)
    throw fail(routeErrors.otherWayRests, {
      route: definition.name,
      other: asked,
      why: `the engine of ${definition.name} does not know it ("tidelock restart ${definition.name}")`,
    });
  return known;
}

function stepOf(target: string): string {
  return `repair ${target}`;
}

function isMended(
  { missing, extra, different, undecided, unverified, left, refused }: RepairedTable,
  dryRun: boolean,
): boolean {
  if (unverified !== null || undecided > 0) return false;
  return dryRun ? missing + extra + different === 0 : left === 0 && Object.keys(refused).length === 0;
}
