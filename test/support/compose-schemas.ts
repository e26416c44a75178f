import { refusedBy } from './schema-definitions.ts';

/**
 * What of a compose file its specification refuses: a key that it does not have, a value of another type. compose-schemas.jsonl holds the
 * definitions of the Go module compose-go 2.16.2 (Apache-2.0), which docker compose itself reads files by, without descriptions; the first
 * is the file's. What it takes for a text is told where compose reads more out of it: how long something may take.
 */
export function wrongInCompose(file: unknown): string[] {
  return [...refusedBy('compose-schemas.jsonl', 'compose', file), ...durations(file, '')];
}

const timed = /^(interval|timeout|start_period|start_interval|stop_grace_period)$/;

function durations(value: unknown, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const place = `${at}/${key}`;
    if (timed.test(key) && !/^(\d+(\.\d+)?(us|ms|s|m|h))+$/.test(String(inner))) return [`${place} is no duration`];
    return durations(inner, place);
  });
}
