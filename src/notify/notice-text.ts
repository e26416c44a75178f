import type { Notice } from './notice.ts';
import type { Trouble, WatchedRoute } from './observe.ts';

/** One line for people: what it is about, what is wrong, and what that is called. */
export function noticeText(
  { event, about }: Pick<Notice, 'event' | 'about'>,
  name: string,
  { route: { state, status }, trouble }: { readonly route: WatchedRoute; readonly trouble: Trouble | null },
): string {
  if (event === 'takeover') {
    const { host = '?', pid = '?' } = status?.inherited ?? {};
    return `${name}: this engine has taken the route over; ${host} (process ${pid}) was silent until its lease was over`;
  }
  if (event === 'recovery')
    return about === 'retention'
      ? `${name}: the source keeps less than its limits again`
      : `${name}: well again, ${state}`;
  const why = trouble?.reason;
  return why == null
    ? `${name}: ${state}, see the log of the service`
    : `${name}: ${state}, ${why.code}: ${why.message}`;
}
