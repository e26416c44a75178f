import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
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
    .map(canonicalJson)
    .sort();
  const files = digests.length > 0 ? { files: [...digests].sort() } : {};
  const text = canonicalJson({ deployment, name, route: { ...data, tables }, ...files });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
