import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { packageFolder } from '../core/installation.ts';

export interface WebPageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
  /** Names below assets/ carry a digest of what is in them; the others may change with the next version. */
  readonly cacheControl: string;
}

/** With every answer that is a file of the page: it runs its own scripts, talks to its own address, and is framed by nobody. */
export const webPageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page's files by their path (`/`, `/assets/...`), as `npm run build:web` has made them; null where it was not
 * built. Read once, so that an update of the files under a running service changes nothing.
 */
export function readWebPage(folder: string = join(packageFolder, 'dist/web')): ReadonlyMap<string, WebPageFile> | null {
  if (!existsSync(join(folder, 'index.html'))) return null;
  const files = new Map<string, WebPageFile>();
  for (const name of globSync('**/*.*', { cwd: folder })) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(join(folder, name));
    const path = `/${name.replaceAll('\\', '/')}`;
    files.set(path === '/index.html' ? '/' : path, {
      type,
      body,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  }
  return files;
}
