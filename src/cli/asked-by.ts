import { hostname, userInfo } from 'node:os';

/** Who has given a command, for the journal. */
export function askedBy(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container's user may have no name.
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}
