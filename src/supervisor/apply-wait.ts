import type { Holder } from '../core/apply-activity.ts';

/** That the target holds up the route, as it is told. */
export interface ApplyWait {
  readonly waitedMs: number;
  readonly what: string;
  /** Sessions, in words; empty where the server names none. */
  readonly holders: string;
}

const named = 3;

export function holdersText(holders: readonly Holder[]): string {
  const first = holders.slice(0, named).map(({ session, user, application, openMs }) => {
    const who = [user === null ? '' : `user ${user}`, application === '' ? '' : `"${application}"`];
    const open = openMs === null ? '' : `open for ${Math.round(openMs / 1000)} s`;
    return `session ${session} (${[...who, open].filter(Boolean).join(', ')})`;
  });
  const more = holders.length - first.length;
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}
