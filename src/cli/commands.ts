import type { Command } from 'commander';
import type { CommandLine } from './command-line.ts';

export type AddCommand = (program: Command, line: CommandLine) => void;

/**
 * All commands, in the order in which help lists them. A command's module is only loaded when it is the one that was
 * given: what the others import costs most of the time that a short command takes.
 */
export const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  init: async () => (await import('./commands/init.ts')).addInit,
  run: async () => (await import('./commands/run.ts')).addRun,
  status: async () => (await import('./commands/status.ts')).addStatus,
  wait: async () => (await import('./commands/wait.ts')).addWait,
  start: async () => (await import('./commands/start.ts')).addStart,
  stop: async () => (await import('./commands/stop.ts')).addStop,
  pause: async () => (await import('./commands/pause.ts')).addPause,
  resume: async () => (await import('./commands/resume.ts')).addResume,
  restart: async () => (await import('./commands/restart.ts')).addRestart,
  check: async () => (await import('./commands/check.ts')).addCheck,
  schema: async () => (await import('./commands/schema.ts')).addSchema,
  prepare: async () => (await import('./commands/prepare.ts')).addPrepare,
  compare: async () => (await import('./commands/compare.ts')).addCompare,
  repair: async () => (await import('./commands/repair.ts')).addRepair,
  load: async () => (await import('./commands/load.ts')).addLoad,
  jobs: async () => (await import('./commands/jobs.ts')).addJobs,
  plan: async () => (await import('./commands/plan.ts')).addPlan,
  apply: async () => (await import('./commands/apply.ts')).addApply,
  skip: async () => (await import('./commands/skip.ts')).addSkip,
  parked: async () => (await import('./commands/parked.ts')).addParked,
  position: async () => (await import('./commands/position.ts')).addPosition,
  sequences: async () => (await import('./commands/sequences.ts')).addSequences,
  grants: async () => (await import('./commands/grants.ts')).addGrants,
  rename: async () => (await import('./commands/rename.ts')).addRename,
  drop: async () => (await import('./commands/drop.ts')).addDrop,
  journal: async () => (await import('./commands/journal.ts')).addJournal,
  config: async () => (await import('./commands/config.ts')).addConfig,
  errors: async () => (await import('./commands/errors.ts')).addErrors,
  completion: async () => (await import('./commands/completion.ts')).addCompletion,
  complete: async () => (await import('./commands/complete.ts')).addComplete,
  demo: async () => (await import('./commands/demo.ts')).addDemo,
};

/** Not for people: help and completion leave them out. */
export const hidden: ReadonlySet<string> = new Set(['complete']);
