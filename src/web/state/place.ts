export const routeSections = ['overview', 'tables', 'parked', 'jobs', 'journal', 'check', 'schema'] as const;
export type RouteSection = (typeof routeSections)[number];

export const overview = { page: 'overview', filter: '' } as const;

/** A page, and what of it. */
export type Place =
  | { readonly page: 'overview'; readonly filter: string }
  | { readonly page: 'journal' }
  | { readonly page: 'plan' }
  | { readonly page: 'check' }
  | { readonly page: 'route'; readonly route: string; readonly section: RouteSection }
  | { readonly page: 'unknown' };

export function hrefOf(to: Place): string {
  if (to.page === 'unknown') return '#/';
  if (to.page === 'overview') return to.filter === '' ? '#/' : `#/?filter=${encodeURIComponent(to.filter)}`;
  if (to.page !== 'route') return `#/${to.page}`;
  const route = `#/routes/${encodeURIComponent(to.route)}`;
  return to.section === 'overview' ? route : `${route}/${to.section}`;
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [page = '', route = '', section = 'overview', ...more] = path.split('/');
  if (page === '' && route === '') return { page: 'overview', filter: new URLSearchParams(query).get('filter') ?? '' };
  if (page === 'routes' && route !== '' && more.length === 0) {
    const found = routeSections.find((one) => one === section);
    if (found !== undefined) return { page: 'route', route: decoded(route), section: found };
  }
  if ((page === 'journal' || page === 'plan' || page === 'check') && route === '') return { page };
  return { page: 'unknown' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
