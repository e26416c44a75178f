import { readFileSync } from 'node:fs';

/**
 * What workers are started from, as it was when their Supervisor began. The parts of the package's bundle bear digests of what
 * is in them and in what they import (rolldown.config.ts), so that this first file tells of all of them: that of another
 * version, which somebody has put in this one's place since, names others. A worker of that version is not started: it would not
 * understand what this Supervisor tells it, and may store what this version does not know.
 */
export class WorkerProgram {
  readonly url: URL;
  readonly #began: string | null;

  constructor(url: URL) {
    this.url = url;
    this.#began = this.#read();
  }

  /** False where there is another file by now, or none. */
  get isSame(): boolean {
    try {
      return this.#read() === this.#began;
    } catch {
      // That it can't be read now (no more files to be had) says nothing of what is in it.
      return true;
    }
  }

  #read(): string | null {
    try {
      return readFileSync(this.url, 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}
