import { globSync, readFileSync } from 'node:fs';

/**
 * The files of a configuration as they were when it was read: whoever has them reads the same again, whatever has become of
 * the files since. They may hold secrets. What references name (${file:...}) is none of them, since it is read at each use,
 * nor are modules of user exits.
 */
export interface ConfigurationText {
  /** The one that was read first, as an absolute path. */
  readonly file: string;
  /** Absolute path to content, in base64. */
  readonly files: Readonly<Record<string, string>>;
  /** What `include` has found, by folder and glob. */
  readonly globs: Readonly<Record<string, readonly string[]>>;
}

/** Reads files from the disk, or from a text that was kept, and keeps what it has read. */
export class ConfigurationFiles {
  readonly #kept: ConfigurationText | null;
  readonly #files = new Map<string, Buffer>();
  readonly #globs = new Map<string, readonly string[]>();

  constructor(kept: ConfigurationText | null = null) {
    this.#kept = kept;
  }

  /** Throws as readFileSync does. */
  read(path: string): Buffer {
    const kept = this.#kept?.files[path];
    const bytes = kept === undefined ? readFileSync(path) : Buffer.from(kept, 'base64');
    this.#files.set(path, bytes);
    return bytes;
  }

  glob(pattern: string, folder: string): readonly string[] {
    const key = JSON.stringify([folder, pattern]);
    const found = this.#kept?.globs[key] ?? globSync(pattern, { cwd: folder }).sort();
    this.#globs.set(key, found);
    return found;
  }

  text(file: string): ConfigurationText {
    return {
      file,
      files: Object.fromEntries([...this.#files].map(([path, bytes]) => [path, bytes.toString('base64')])),
      globs: Object.fromEntries(this.#globs),
    };
  }
}
