/** What is left of a queue that its server keeps no more than so much of. */
export interface QueueRoom {
  /** May still be written at the source before the server drops what the route has not read; 0 where it does so with its next clean-up. */
  readonly leftBytes: number;
  /** Of the server's own setting; null where that is not what takes the queue. */
  readonly limitBytes: number | null;
}

/** The last fifth: there is time left to do something. */
const lowShare = 0.2;

/** How bad it is that there is so little room; null where there is enough, or no limit. */
export function judgeRoom(room: QueueRoom | null): 'warning' | 'critical' | null {
  if (room === null) return null;
  if (room.leftBytes <= 0) return 'critical';
  return room.limitBytes !== null && room.leftBytes <= room.limitBytes * lowShare ? 'warning' : null;
}
