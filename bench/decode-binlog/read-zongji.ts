// Reads the same with zongji (https://github.com/vlasky/zongji, MIT), and takes every row at once.
import type { BinlogRound, BinlogTask } from './task.ts';

interface ZongJiEvent {
  readonly rows?: readonly unknown[];
  readonly tableId?: number;
  readonly tableMap?: Readonly<Record<number, { readonly tableName: string }>>;
}

interface ZongJi {
  on(event: 'binlog', listener: (event: ZongJiEvent) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  start(options: object): void;
  stop(): void;
}

type Reader = new (dsn: object) => ZongJi;

function read(ZongJi: Reader, { port, database, file, offset, last }: BinlogTask): Promise<BinlogRound> {
  const { promise, resolve } = Promise.withResolvers<BinlogRound>();
  const reader = new ZongJi({ host: '127.0.0.1', port, user: 'root', password: '' });
  const beganMs = performance.now();
  const used = process.cpuUsage();
  let found = 0;
  reader.on('error', (error) => {
    process.send?.({ error: error.message });
    process.exit(1);
  });
  reader.on('binlog', (event) => {
    found += event.rows?.length ?? 0;
    if (event.rows === undefined || event.tableMap?.[event.tableId ?? 0]?.tableName !== last) return;
    const { user, system } = process.cpuUsage(used);
    const round = { ms: performance.now() - beganMs, cpuUs: user + system, systemUs: system, rows: found };
    reader.stop();
    resolve(round);
  });
  reader.start({
    filename: file,
    position: offset,
    serverId: 4_000_000_001,
    includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
    includeSchema: { [database]: true },
  });
  return promise;
}

process.once('message', async (task: BinlogTask) => {
  const name = '@vlasky/zongji';
  const { default: ZongJi } = (await import(name)) as { readonly default: Reader };
  for (let reading = 0; reading < task.readings; reading++) process.send?.(await read(ZongJi, task));
  process.disconnect();
  // It leaves sessions behind.
  setTimeout(() => process.exit(0), 100);
});
