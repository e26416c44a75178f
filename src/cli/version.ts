import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../core/installation.ts';

export function version(): string {
  const { version: text } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return text;
}
