import type { ServerResponse } from 'node:http';
import type { EventFeed } from './event-feed.ts';

const commentMs = 15_000;

/** Whoever reads slower than this is let go: what was missed comes with the next stream. */
const mostBehindBytes = 4_000_000;

/** Writes what the feed tells to one client until it has gone, or the service ends. */
export function streamEvents(feed: EventFeed, response: ServerResponse, signal: AbortSignal): void {
  response.writeHead(200, {
    ...Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, value ?? ''])),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const write = (text: string): void => {
    response.write(text);
    if (response.writableLength > mostBehindBytes) response.destroy();
  };
  write(': tidelock\n\n');
  const unlisten = feed.listen((event, document) => write(`event: ${event}\ndata: ${JSON.stringify(document)}\n\n`));
  const comments = setInterval(() => write(': still here\n\n'), commentMs);
  const end = (): void => {
    response.end();
  };
  signal.addEventListener('abort', end, { once: true });
  response.once('close', () => {
    unlisten();
    clearInterval(comments);
    signal.removeEventListener('abort', end);
  });
  if (signal.aborted) end();
}
