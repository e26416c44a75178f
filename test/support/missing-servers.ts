import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';
import { missingMysql } from './mysql-binaries.ts';
import { findBinaries, missingVersions, newestVersion, versions } from './postgres-binaries.ts';
import { findPromtool } from './promtool.ts';

const root = join(import.meta.dirname, '../..');

/** Test files that cannot run, because there is no server for them; never with CI set, where they are to fail. */
export function filesWithoutServer(): string[] {
  if (process.env.CI) return [];
  const lacksAll = versions.length === 0;
  // The demonstration and the packed package bring the newest version themselves.
  const lacksNewest = findBinaries(newestVersion) === null;
  const lacksBrowser = findChromium() === null;
  const lacksMysql = missingMysql.length > 0;
  if (!lacksAll && !lacksNewest && !lacksBrowser && !lacksMysql) return [];
  return globSync('test/**/*.test.ts', { cwd: root }).filter((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    if (lacksBrowser && source.includes("'./browser.ts'")) return true;
    if (lacksMysql && source.includes('support/mysql.ts')) return true;
    if (source.includes('support/postgres.ts')) return lacksAll;
    return lacksNewest && file.startsWith('test/integration/') && source.includes('demo');
  });
}

/** What a run leaves out for want of a server, one a line. */
export function missingServers(): string[] {
  return [
    ...missingVersions.map((version) => `PostgreSQL ${version}: no binaries; "npm run fetch-servers" gets them`),
    ...missingMysql.map((vendor) => `${vendor}: no server; "npm run fetch-servers" gets it on Debian`),
    ...(findPromtool() === null
      ? ['promtool: the test that computes the alerts; "npm run fetch-servers" gets it on Debian']
      : []),
    ...filesWithoutServer().map((file) => `${file}: it needs a server${findChromium() === null ? ' or Chromium' : ''}`),
  ];
}
