import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** In a checkout every module is a file of its own, of TypeScript; in the package modules stand together in a few files, in folders of the bundler's choice. */
const isCheckout = import.meta.filename.endsWith('.ts');

/** The folder with this installation's package.json. */
export const packageFolder: string = folderOfPackage(import.meta.dirname);

/** The file of a program of this installation by its path below src, without an extension: `cli/main`. Those are the ones that rolldown.config.ts names. */
export function programFile(name: string): string {
  return isCheckout ? join(packageFolder, 'src', `${name}.ts`) : join(packageFolder, 'dist/src', `${name}.js`);
}

/** The same, as `fork` and `import` take it. */
export function programUrl(name: string): URL {
  return pathToFileURL(programFile(name));
}

/** A file of the bundle that is not there: the version that names it by its digest has been replaced since this process began. */
export function isReplacedPart(error: unknown): boolean {
  const { code, url = '' } = (error ?? {}) as { readonly code?: unknown; readonly url?: unknown };
  return (
    code === 'ERR_MODULE_NOT_FOUND' && String(url).startsWith(`${pathToFileURL(join(packageFolder, 'dist')).href}/`)
  );
}

function folderOfPackage(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${start}`);
  }
}
