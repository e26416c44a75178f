// Reads the same with zongji (https://github.com/vlasky/zongji, MIT), and takes every row at once.
import type { BinlogTask } from './task.ts';

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

async function read({ port, database, file, offset, last }: BinlogTask): Promise<void> {
  const name = '@vlasky/zongji';
  const { default: ZongJi } = (await import(name)) as { readonly default: new (dsn: object) => ZongJi };
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
    process.send?.({ ms: performance.now() - beganMs, cpuUs: user + system, rows: found });
    reader.stop();
    process.disconnect();
    setTimeout(() => process.exit(0), 100);
  });
  reader.start({
    filename: file,
    position: offset,
    serverId: 4_000_000_001,
    includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
    includeSchema: { [database]: true },
  });
}

process.once('message', (task: BinlogTask) => void read(task));
