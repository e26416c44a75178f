import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolder } from './installation.ts';

/** Errors that come again and again have the same frames; reading a map takes tens of milliseconds. */
const told = new Map<string, string>();
const toldAtMost = 500;

/**
 * Where the error was thrown and what had called it, a line each (`    at NAME (FILE:LINE:COLUMN)`), without its text, which may hold values.
 * What the package has bundled is named by its source file from the project's folder on; a file without a map, by its own name.
 * Node does the same (--enable-source-maps), but reads every map as a module is loaded.
 */
export function stackFrames(error: Error): string[] {
  const lines = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  const maps = new Map<string, SourceMap | null>();
  return lines.map((line) => {
    let frame = told.get(line);
    if (frame === undefined) {
      frame = line.replace(/(file:\/\/[^\s()]+\.js):(\d+):(\d+)/, (place, url: string, row: string, column: string) => {
        const file = fileURLToPath(url);
        if (!maps.has(file)) maps.set(file, mapOf(file));
        return sourceOf(file, maps.get(file) ?? null, Number(row), Number(column)) ?? place;
      });
      if (told.size < toldAtMost) told.set(line, frame);
    }
    return frame;
  });
}

function sourceOf(file: string, map: SourceMap | null, row: number, column: number): string | null {
  const origin = map?.findOrigin(row, column);
  if (origin === undefined || !('fileName' in origin)) return null;
  const source = relative(packageFolder, resolve(dirname(file), origin.fileName));
  return `${source}:${origin.lineNumber}:${origin.columnNumber}`;
}

/** Null where there is none, or none that can be read: an error is told of all the same. */
function mapOf(file: string): SourceMap | null {
  try {
    return existsSync(`${file}.map`) ? new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8'))) : null;
  } catch {
    return null;
  }
}
