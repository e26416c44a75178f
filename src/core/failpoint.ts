/**
 * Named places where the crash tests stop, kill or cut something. They do nothing unless a test names them in
 * TIDELOCK_FAILPOINTS, a comma-separated list of `name=hit:action`: at the hit-th passing, `kill` ends this process,
 * `stop` freezes it (SIGSTOP), `kill/PID` and `stop/PID` do so to another, `throw` throws a lost connection. Of a route's
 * workers the first one does it: the next must get past the place. `name=hit:action@N` is for the one after N crashes.
 */
export const failpointNames = [
  'marker.before',
  'marker.after',
  'part.savepoint',
  'part.applied',
  'commit.before',
  'commit.sent',
  'commit.answered',
  'commit.answerLost',
  'lane.begun',
  'lane.turn',
  'lane.committed',
  'park.part',
  'park.written',
  'park.decided',
  'retry.part',
  'retry.taken',
  'retry.done',
  'flush.seen',
  'ack.sent',
  'slot.before',
  'slot.created',
  'prepare.slot',
  'load.copied',
  'evolve.intended',
  'evolve.altered',
  'evolve.stored',
  'tables.published',
  'tables.loaded',
  'change.stored',
  'change.done',
  'change.half',
  'drop.leased',
  'drop.queue',
  'rename.prepared',
  'rename.copied',
  'rename.stored',
  'load.answerLost',
  'chunk.read',
  'chunk.sent',
  'chunk.applied',
  'repair.written',
  'repair.committed',
  'undo.written',
  'undo.committed',
] as const;

export type FailpointName = (typeof failpointNames)[number];

interface Armed {
  hit: number;
  readonly action: string;
  readonly pid: number;
}

const armed = new Map<string, Armed>();

/**
 * Reads the list; throws RangeError for a name or action that does not exist, so that no test tests nothing. `restarts`: how
 * often the route's worker has crashed before this one.
 */
export function armFailpoints(list: string | undefined, restarts = 0): void {
  armed.clear();
  for (const item of list?.split(',').filter(Boolean) ?? []) {
    const match = /^([\w.]+)=(\d+):(kill|stop|throw)(?:\/(\d+))?(?:@(\d+))?$/.exec(item);
    const name = match?.[1] as FailpointName;
    if (!match || !failpointNames.includes(name)) throw new RangeError(`no such failpoint: ${item}`);
    if (Number(match[5] ?? 0) !== restarts) continue;
    armed.set(name, { hit: Number(match[2]), action: String(match[3]), pid: Number(match[4] ?? process.pid) });
  }
}

export function failpoint(name: FailpointName): void {
  if (armed.size === 0) return;
  const point = armed.get(name);
  if (point === undefined || --point.hit !== 0) return;
  if (point.action === 'throw') throw Object.assign(new Error(`failpoint ${name}`), { code: 'ECONNRESET' });
  process.kill(point.pid, point.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
