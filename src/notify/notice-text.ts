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

const namedRoutes = 5;

/** One notice of several routes to which the same has happened; null where there is none. */
export function together(notices: readonly Notice[]): Notice | null {
  const [first] = notices;
  if (first === undefined) return null;
  const routes = [...new Set(notices.map(({ route }) => route))];
  if (routes.length === 1) return first;
  const more = routes.length - namedRoutes;
  const names = `${routes.slice(0, namedRoutes).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return { ...first, routes, text: `${first.deployment}: ${routes.length} routes (${names}), as ${first.text}` };
}
