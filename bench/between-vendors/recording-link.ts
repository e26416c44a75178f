import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface LinkData {
  readonly recordedPort: number;
}

/** A TCP link to a port of this machine that keeps what clients send. */
export interface RecordingLink extends AsyncDisposable {
  readonly port: number;
  /** What each connection has sent so far, in the order in which they came. */
  sent(): Promise<readonly Uint8Array[]>;
}

/** In a thread of its own: what it keeps is outside of the heap of whoever measures. */
export async function recordingLink(port: number): Promise<RecordingLink> {
  const data: LinkData = { recordedPort: port };
  const thread = new Worker(new URL(import.meta.url), { workerData: data });
  const [own] = (await once(thread, 'message')) as [number];
  return {
    port: own,
    sent: async () => {
      thread.postMessage('sent');
      const [sent] = (await once(thread, 'message')) as [readonly Uint8Array[]];
      return sent;
    },
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  };
}

async function serve({ recordedPort }: LinkData): Promise<void> {
  const recorded: Buffer[][] = [];
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port: recordedPort, noDelay: true });
    const chunks: Buffer[] = [];
    recorded.push(chunks);
    near.on('data', (chunk) => chunks.push(chunk));
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('error', () => {});
    far.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  parentPort?.postMessage(typeof address === 'object' ? address?.port : null);
  parentPort?.on('message', () => parentPort?.postMessage(recorded.map((chunks) => Buffer.concat(chunks))));
}

if (!isMainThread && (workerData as Partial<LinkData> | null)?.recordedPort !== undefined)
  await serve(workerData as LinkData);
