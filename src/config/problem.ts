import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';

/** A place in a configuration file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What can be wrong; each has its own code in the catalogue. */
export type ProblemKind = 'invalid' | 'syntax' | 'notInThisVersion' | 'reference' | 'conflict';

/** One thing that is wrong with a configuration. Never holds the value of a secret. */
export interface Problem extends Place {
  readonly code: string;
  /** As people write it: `routes.sales.tables[2].columns`; '' for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Collects everything that is wrong, so that one run of a command names all of it. */
export class Problems {
  readonly #file: string;
  readonly #found: (Problem & { readonly kind: ProblemKind })[] = [];
  readonly #seen = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  get empty(): boolean {
    return this.#found.length === 0;
  }

  add(problem: { kind: ProblemKind; place: Place; path: readonly (string | number)[]; message: string }): void {
    const { kind, place, message } = problem;
    // What comes from `defaults` is wrong in every route, and is said once.
    const identity = JSON.stringify([placeOf(place), message]);
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#found.push({ kind, code: configErrors[kind].code, ...place, path: formatPath(problem.path), message });
  }

  /** True where something at or below the path is wrong. */
  within(path: readonly (string | number)[]): boolean {
    const prefix = formatPath(path);
    return this.#found.some(
      (problem) => problem.path.startsWith(prefix) && /^([.[]|$)/.test(problem.path.slice(prefix.length)),
    );
  }

  /** Takes over what another has collected. */
  absorb(other: Problems): void {
    for (const problem of other.#found) {
      const identity = JSON.stringify([placeOf(problem), problem.message]);
      if (this.#seen.has(identity)) continue;
      this.#seen.add(identity);
      this.#found.push(problem);
    }
  }

  error(): TidelockError {
    const kinds = new Set(this.#found.map((problem) => problem.kind));
    const [only] = kinds;
    const kind = configErrors[kinds.size === 1 && only !== undefined ? only : 'invalid'];
    return fail(kind, { file: this.#file, problems: this.#found.map(({ kind: _, ...problem }) => problem) });
  }

  throwIfAny(): void {
    if (!this.empty) throw this.error();
  }
}

function placeOf({ file, line, column }: Place): Place {
  return { file, line, column };
}

export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? pathStep(step) : `.${pathStep(step)}`))
    .join('');
}

function pathStep(key: string): string {
  return /^[^\s."[\]]{1,60}$/.test(key) ? key : JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}...` : key);
}
