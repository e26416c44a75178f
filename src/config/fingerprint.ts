import { createHash } from 'node:crypto';
import type { RouteData } from './schema/route-schema.ts';

export interface FingerprintedRoute {
  readonly data: RouteData;
  /** Of the files that transforms use. */
  readonly digests: readonly string[];
}

/** Digest of a route's meaning: the order of keys and of tables counts for nothing, secrets are left out. */
export function fingerprintRoute(deployment: string, name: string, { data, digests }: FingerprintedRoute): string {
  const tables = data.tables
    .map((table) => {
      if (typeof table === 'string') return { name: table };
      const transforms = table.transforms?.map((transform) =>
        transform.mask === undefined ? transform : { mask: { ...transform.mask, key: undefined } },
      );
      return { ...table, transforms };
    })
    .map(canonical)
    .sort();
  const files = digests.length > 0 ? { files: [...digests].sort() } : {};
  const text = canonical({ deployment, name, route: { ...data, tables }, ...files });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** JSON with sorted keys; undefined is as good as absent. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
