import { routeErrors } from '../core/errors/catalogue/route.ts';

/** Codes of a route whose state at the target somebody has taken away, by dropping or renaming it: no engine begins it anew by itself. */
const codes: ReadonlySet<string> = new Set([routeErrors.dropped.code, routeErrors.renamed.code]);

export function isRouteGone(code: string | undefined): boolean {
  return code !== undefined && codes.has(code);
}
