import type { SchemaStatement } from '../core/table-schema.ts';
import type { AppliedSchema, ApplySchemaOptions, SchemaDocument } from './route-schema.ts';

interface Run {
  readonly half: ApplySchemaOptions['half'];
  readonly applied: SchemaStatement[];
  readonly ended: Promise<AppliedSchema>;
  /** Null while it goes on. */
  endedAtMs: number | null;
}

/** What came of a run and nobody has asked for is no answer to what is asked much later. */
const keptMs = 60_000;

export interface SchemaRun {
  readonly route: string;
  readonly half: ApplySchemaOptions['half'];
  /** How long the answer may take. */
  readonly forMs: number;
  begin(onStatement: (statement: SchemaStatement) => void): Promise<AppliedSchema>;
  read(): Promise<SchemaDocument>;
}

/**
 * One run a route, which goes on when who has asked for it waits no longer: building an index takes longer than a request
 * may, and one that is cut short would have to be built from its beginning. Who asks again is told how far it is, then what came of it.
 */
export class SchemaRuns {
  readonly #runs = new Map<string, Run>();

  async ask({ route, half, forMs, begin, read }: SchemaRun): Promise<AppliedSchema> {
    const run = this.#known(route) ?? this.#begin(route, half, begin);
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(late.resolve, forMs, null);
    try {
      const outcome = await Promise.race([run.ended, late.promise]);
      if (outcome !== null) {
        this.#forget(route, run);
        // Somebody else's, of another half: asking again begins one's own.
        return { ...outcome, done: outcome.done && run.half === half };
      }
    } catch (error) {
      this.#forget(route, run);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return { ...(await read()), applied: [...run.applied], refused: [], done: false };
  }

  #begin(route: string, half: SchemaRun['half'], begin: SchemaRun['begin']): Run {
    const applied: SchemaStatement[] = [];
    const ended = begin((statement) => applied.push(statement));
    const run: Run = { half, applied, ended, endedAtMs: null };
    const note = (): void => {
      run.endedAtMs = performance.now();
    };
    // Whoever asks next is told what was refused.
    ended.then(note, note);
    this.#runs.set(route, run);
    return run;
  }

  #known(route: string): Run | undefined {
    const run = this.#runs.get(route);
    return run?.endedAtMs != null && performance.now() - run.endedAtMs > keptMs ? undefined : run;
  }

  #forget(route: string, run: Run): void {
    if (this.#runs.get(route) === run) this.#runs.delete(route);
  }
}
