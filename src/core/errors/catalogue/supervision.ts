import { durationText, sizeText } from '../../quantity-text.ts';
import { errorKind } from '../tidelock-error.ts';

/** What the Supervisor and the workers notice about routes, and why a worker was started again. */
export const supervisionErrors = {
  lagging: errorKind<{ route: string; lagMs: number; limitMs: number }>({
    code: 'TL-4301',
    title: 'The route is late',
    recovery: 'usage',
    message: ({ route, lagMs, limitMs }) =>
      `route ${route} is ${durationText(lagMs)} behind its source, the limit is ${durationText(limitMs)}`,
    remedy: ({ route }) =>
      `Watch "tidelock status ${route} --watch": where the lag does not fall, find out what the target waits for (locks, disk), or raise limits.lag.`,
    explanation:
      'The time from the commit at the source to the commit at the target has passed limits.lag. It is measured with heartbeats through the change queue.',
  }),
  retaining: errorKind<{ route: string; bytes: number }>({
    code: 'TL-4302',
    title: 'The source keeps much of its log for the route',
    recovery: 'usage',
    message: ({ route, bytes }) => `the source keeps ${sizeText(bytes)} of its log for route ${route}`,
    remedy: ({ route }) =>
      `Let the route catch up or run again; a route that is no longer needed is dropped with "tidelock drop ${route}". The source's disk fills otherwise.`,
    explanation: 'What the source keeps because the route has not read it yet has passed limits.retained.',
  }),
  roomEnds: errorKind<{ route: string; leftBytes: number; limitBytes: number | null }>({
    code: 'TL-4313',
    title: 'The source is about to drop what the route has not read',
    recovery: 'usage',
    message: ({ route, leftBytes, limitBytes }) => {
      const limit = limitBytes === null ? '' : `, since it keeps no more than ${sizeText(limitBytes)}`;
      return leftBytes <= 0
        ? `the source drops what route ${route} has not read with its next checkpoint${limit}`
        : `the source drops what route ${route} has not read when it has written another ${sizeText(leftBytes)}${limit}`;
    },
    remedy: ({ route }) =>
      `Let the server keep more (ALTER SYSTEM SET max_slot_wal_keep_size at the source, then SELECT pg_reload_conf()), and let the route catch up or run again. Where it is lost (TL-3101), it begins anew; "tidelock drop ${route}" where it is not needed.`,
    explanation:
      'PostgreSQL removes WAL that a slot still needs when that is more than max_slot_wal_keep_size. The route warns within the last fifth of it (safe_wal_size of pg_replication_slots), and is critical where wal_status is unreserved: the next checkpoint takes it. What limits.retained is does not matter for that.',
  }),
  waitsForOther: errorKind<{ route: string; waitedMs: number; what: string; holders: string }>({
    code: 'TL-4303',
    title: 'The target makes the route wait for another session',
    recovery: 'usage',
    message: ({ route, waitedMs, what, holders }) =>
      `route ${route} has waited for ${durationText(waitedMs)} at the target (${what})${holders === '' ? '' : `, held up by ${holders}`}`,
    remedy: ({ holders }) =>
      holders === ''
        ? 'Look at the target: what it waits for (a synchronous standby, a lock) has to come, or its setting has to be changed.'
        : 'End what these sessions do, or the sessions: at the target, "SELECT pg_terminate_backend(PID)".',
    explanation:
      'A statement of the route is held up by another session, most often by a lock. Starting the route again would not help, so it waits: health is warning from limits.lag.warn on and critical from limits.lag.critical on.',
  }),
  standsStill: errorKind<{ route: string; stoodMs: number }>({
    code: 'TL-4304',
    title: 'The route did not move on while its source did',
    recovery: 'retry',
    message: ({ route, stoodMs }) =>
      `route ${route} did not move for ${durationText(stoodMs)} although its source did: its worker was started again`,
    remedy: () => 'Nothing: it goes on from its checkpoint. Where it comes again, report it with the log.',
    explanation:
      'Heartbeats were committed at the source and nothing was read or applied, no server worked on it, and no other session held it up. The worker is drained or killed and started again, each time after twice as long.',
  }),
  memory: errorKind<{ route: string; bytes: number; limitBytes: number; restarted: boolean }>({
    code: 'TL-4305',
    title: 'The worker of the route uses more memory than it should',
    recovery: 'retry',
    message: ({ route, bytes, limitBytes, restarted }) =>
      `the worker of route ${route} ${restarted ? 'was started again: it used' : 'uses'} ${sizeText(bytes)}, the limit is ${sizeText(limitBytes)}`,
    remedy: () => 'Nothing, where it stays at one restart. Else lower apply.memory, or raise limits.memory.',
    explanation:
      'The limit is limits.memory, or follows from apply.memory and the largest row so far. Above it the worker is drained and started again; where that was done before and has not helped, health is a warning and the next restart comes after twice as long.',
  }),
  eventLoop: errorKind<{ route: string; blockedMs: number }>({
    code: 'TL-4306',
    title: 'The worker of the route stood still for seconds',
    recovery: 'usage',
    message: ({ route, blockedMs }) => `the worker of route ${route} stood still for ${durationText(blockedMs)}`,
    remedy: () => 'Give the host more CPU, or look for a user exit that computes for long.',
    explanation:
      'The event loop of the process was blocked: by code that computes without a pause (a user exit), or since the host gave it no CPU. A worker that says nothing for a minute is killed and started again.',
  }),
  startsLong: errorKind<{ route: string; sinceMs: number }>({
    code: 'TL-4307',
    title: 'The route takes long to start',
    recovery: 'usage',
    message: ({ route, sinceMs }) => `route ${route} has been starting for ${durationText(sinceMs)}`,
    remedy: () => 'Look for locks and long transactions at the source and the target.',
    explanation:
      'Checks of both sides should take seconds. A lock on a catalogue table or an overloaded server holds them up.',
  }),
  differs: errorKind<{
    route: string;
    missing: number;
    extra: number;
    different: number;
    job: string;
    at: string;
    /** What is missing at the target by itself. */
    lacks: 'load' | 'parked' | null;
  }>({
    code: 'TL-4308',
    title: 'A compare has found rows that differ',
    recovery: 'usage',
    message: ({ route, missing, extra, different, job, at }) =>
      `route ${route}: the compare ${job} (${at}) has found rows that differ: ${missing} missing at the target, ${extra} there that should not be, ${different} with other values`,
    remedy: ({ route, job, lacks }) => {
      const told = `"tidelock jobs watch ${job}" tells which.`;
      if (lacks === 'load')
        return `${told} The load of tables has not ended (TL-4164): complete it, then "tidelock compare ${route}".`;
      if (lacks === 'parked')
        return `${told} What is parked is missing at the target ("tidelock parked list ${route}"): retry or discard it, then "tidelock compare ${route}".`;
      return `${told} Where rows were loaded or retried since, "tidelock compare ${route}" once more. Else find out who writes at the target; "tidelock repair ${route} --last" makes them what they are at the source.`;
    },
    explanation:
      'The last compare of all rows of a table counts, whoever has begun it, and a repair of all of them after it. So this ends with the next one that finds no difference.',
  }),
  compareFails: errorKind<{ route: string; code: string; message: string }>({
    code: 'TL-4309',
    title: 'The compare in the background has failed',
    recovery: 'usage',
    message: ({ route, code, message }) =>
      `route ${route}: its compare in the background has failed: ${code} ${message}`,
    remedy: ({ route, code }) =>
      `"tidelock errors ${code}" tells what to do. The next compare begins by itself; "tidelock compare ${route} --resume" goes on with this one.`,
    explanation: 'Nobody compares the tables meanwhile, although the route is configured for it (compare.every).',
  }),
  workerDied: errorKind<{ route: string; end: string }>({
    code: 'TL-4310',
    title: 'The worker of the route died',
    recovery: 'retry',
    message: ({ route, end }) => `the worker of route ${route} died (${end})`,
    remedy: () => 'Nothing: it is started again and goes on from its checkpoint. The log tells more.',
    explanation:
      'Nothing is lost: what was not committed at the target is applied again from the checkpoint. SIGKILL is most often the kernel, which was out of memory; SIGABRT is V8, which was.',
  }),
  crashLoop: errorKind<{ route: string; crashes: number; minutes: number; end: string }>({
    code: 'TL-4311',
    title: 'The worker of the route dies again and again',
    recovery: 'halt',
    message: ({ route, crashes, minutes, end }) =>
      `route ${route} halted: its worker died ${crashes} times within ${minutes} minutes, the last time: ${end}`,
    remedy: ({ route }) => `Mend what the log names (memory, a user exit), then "tidelock start ${route}".`,
    explanation:
      'What kills a worker each time it starts does not go away by starting it again. The source keeps its changes for the route, which goes on from its checkpoint.',
  }),
  restartsOften: errorKind<{ route: string; recent: number; agoMs: number; last: string }>({
    code: 'TL-4314',
    title: 'Workers of the route end again and again',
    recovery: 'usage',
    message: ({ route, recent, agoMs, last }) =>
      `${recent} workers of route ${route} ended within 15 minutes, the last one ${durationText(agoMs)} ago: ${last}`,
    remedy: () =>
      'Find out what ends them: the log of the service tells of each. SIGKILL is most often the kernel, which was out of memory: give the host or the container more, or lower apply.memory. An error within a user exit is mended there.',
    explanation:
      'Each time the route goes on from its checkpoint, so that nothing is lost, and is late by as long as that takes. 8 deaths within 15 minutes end in a halt (TL-4311). It is over when no worker has ended for 15 minutes.',
  }),
  engineReplaced: errorKind<{ route?: string }>({
    code: 'TL-4315',
    title: 'The engine was replaced on the disk while it runs',
    recovery: 'usage',
    message: ({ route }) =>
      `${route === undefined ? '' : `route ${route} has no worker: `}the files of the engine are no longer those that it was started from`,
    remedy: () =>
      'Start the service again ("systemctl restart tidelock"): its routes go on from their checkpoints, with the version that is installed now. Or put the version back that runs.',
    explanation:
      'A version was installed in the place of the one that runs. What runs goes on; a worker that has to be started, or a part of the engine that is loaded when it is first needed, is not taken from another version, which may store what this one does not know.',
  }),
  workerSilent: errorKind<{ route: string; silentMs: number }>({
    code: 'TL-4312',
    title: 'The worker of the route said nothing any more',
    recovery: 'retry',
    message: ({ route, silentMs }) =>
      `the worker of route ${route} said nothing for ${durationText(silentMs)}: it was killed and started again`,
    remedy: () =>
      'Nothing: it goes on from its checkpoint. Where it comes again, look for a user exit that never returns.',
    explanation: 'The process was frozen, or its event loop blocked for good.',
  }),
};
