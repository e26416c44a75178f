import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface LinkData {
  readonly port: number;
  readonly eachWayMs: number;
}

/** A TCP link to a port of this machine, on which everything is so late each way. Bandwidth is not limited. */
export interface DelayingLink extends AsyncDisposable {
  readonly port: number;
}

/** In a thread of its own: what measures does not hold it up. */
export async function delayingLink(port: number, eachWayMs: number): Promise<DelayingLink> {
  const data: LinkData = { port, eachWayMs };
  const thread = new Worker(new URL(import.meta.url), { workerData: data });
  const [own] = (await once(thread, 'message')) as [number];
  return {
    port: own,
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  };
}

/** More than a link of 10 Gbit/s holds in 10 ms; beyond it whoever sends waits. */
const mostBytesUnderWay = 16_000_000;

function pass(from: Socket, to: Socket, eachWayMs: number): void {
  const underWay: { readonly dueMs: number; readonly data: Buffer | null }[] = [];
  let bytes = 0;
  let isPlanned = false;
  const deliver = (): void => {
    isPlanned = false;
    const nowMs = performance.now();
    while (underWay[0] !== undefined && underWay[0].dueMs <= nowMs) {
      const data = underWay.shift()?.data ?? null;
      if (data === null) to.end();
      else {
        bytes -= data.length;
        to.write(data);
      }
    }
    if (bytes + to.writableLength < mostBytesUnderWay) from.resume();
    plan();
  };
  const plan = (): void => {
    const next = underWay[0];
    if (next === undefined || isPlanned) return;
    isPlanned = true;
    setTimeout(deliver, Math.max(0, next.dueMs - performance.now()));
  };
  const send = (data: Buffer | null): void => {
    underWay.push({ dueMs: performance.now() + eachWayMs, data });
    bytes += data?.length ?? 0;
    if (bytes + to.writableLength >= mostBytesUnderWay) from.pause();
    plan();
  };
  to.on('drain', () => bytes < mostBytesUnderWay && from.resume());
  from.on('data', send);
  from.on('end', () => send(null));
  // Without this half the other has nobody left.
  from.on('close', () => setTimeout(() => to.destroy(), eachWayMs));
  from.on('error', () => {});
}

async function serve({ port, eachWayMs }: LinkData): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    pass(near, far, eachWayMs);
    pass(far, near, eachWayMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  parentPort?.postMessage(typeof address === 'object' ? address?.port : null);
}

if (!isMainThread && (workerData as Partial<LinkData> | null)?.eachWayMs !== undefined)
  await serve(workerData as LinkData);
