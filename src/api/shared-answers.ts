import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';

interface Run {
  readonly answer: Promise<object>;
  /** Never rejects. */
  readonly ended: Promise<void>;
  /** It takes longer than anybody waits for it. */
  isLate: boolean;
  /** Null while it goes on. */
  endedAtMs: number | null;
}

/** What a late run has found, and nobody has asked for since, says little about what is there much later. */
const keptMs = 60_000;

/** Different questions under way at once: each takes sessions of its own at the nodes. */
const mostRuns = 16;

/**
 * Answers that cost the databases something, for all who ask the same: one run at a time for each question. Who asks while
 * one is under way gets the next one, which he shares with all who came meanwhile, so that what was changed before he asked
 * is in it. Nobody waits longer than `forMs` (TL-1050); a run that takes longer goes on, and who asks again joins it.
 */
export class SharedAnswers {
  readonly #forMs: number;
  readonly #runs = new Map<string, Run>();

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  async ask(question: string, begin: () => Promise<object>): Promise<object> {
    const untilMs = performance.now() + this.#forMs;
    const before = this.#known(question);
    if (before !== undefined && !before.isLate) await this.#within(untilMs, before, before.ended);
    const run = this.#known(question) ?? this.#begin(question, begin);
    try {
      return await this.#within(untilMs, run, run.answer);
    } finally {
      // Of a late one: its answer is told once.
      if (run.endedAtMs !== null) this.#forget(question, run);
    }
  }

  #begin(question: string, begin: () => Promise<object>): Run {
    if (this.#runs.size >= mostRuns) this.#tidy();
    if (this.#runs.size >= mostRuns)
      throw fail(serviceErrors.notReady, { why: 'it asks the nodes too many other things' });
    const answer = begin();
    const note = (): void => {
      run.endedAtMs = performance.now();
      if (!run.isLate) this.#forget(question, run);
    };
    const run: Run = { answer, ended: answer.then(note, note), isLate: false, endedAtMs: null };
    this.#runs.set(question, run);
    return run;
  }

  async #within<T>(untilMs: number, run: Run, wanted: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => {
        run.isLate = true;
        late.reject(fail(serviceErrors.stillAsking, { seconds: Math.ceil(this.#forMs / 1000) }));
      },
      Math.max(0, untilMs - performance.now()),
    );
    try {
      return await Promise.race([wanted, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #known(question: string): Run | undefined {
    const run = this.#runs.get(question);
    if (run === undefined || !isOld(run)) return run;
    this.#forget(question, run);
    return undefined;
  }

  #tidy(): void {
    for (const [question, run] of this.#runs) if (isOld(run)) this.#forget(question, run);
  }

  #forget(question: string, run: Run): void {
    if (this.#runs.get(question) === run) this.#runs.delete(question);
  }
}

function isOld({ endedAtMs }: Run): boolean {
  return endedAtMs !== null && performance.now() - endedAtMs > keptMs;
}
