import { existsSync, readFileSync } from 'node:fs';

/** From the package's own package.json, two folders up in a checkout and three in the compiled package. */
export function version(): string {
  const file = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (file === undefined) return 'unknown';
  const { version: text } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return text;
}
