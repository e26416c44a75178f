import * as prompts from '@clack/prompts';

/** Left with ^C: nothing was written. */
export class Cancelled extends Error {}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

/** Questions on a terminal. What is asked goes to standard error, so that standard output stays a document's. */
export class Prompter {
  readonly #streams: { readonly output: NodeJS.WriteStream };

  constructor(output: NodeJS.WriteStream) {
    this.#streams = { output };
  }

  begin(title: string): void {
    prompts.intro(title, this.#streams);
  }

  warn(text: string): void {
    prompts.log.warn(text, this.#streams);
  }

  end(text: string): void {
    prompts.outro(text, this.#streams);
  }

  async text(
    message: string,
    rest: {
      readonly placeholder?: string;
      readonly initialValue?: string;
      /** What is wrong with an answer; null where it will do. */
      readonly problem?: (value: string) => string | null;
    } = {},
  ): Promise<string> {
    const { problem, ...shown } = rest;
    const value = await prompts.text({
      ...this.#streams,
      ...shown,
      message,
      validate: (given) => problem?.((given ?? '').trim()) ?? undefined,
    });
    if (prompts.isCancel(value)) throw new Cancelled();
    return (value ?? '').trim();
  }

  async confirm(message: string, initialValue: boolean): Promise<boolean> {
    const value = await prompts.confirm({ ...this.#streams, message, initialValue });
    if (prompts.isCancel(value)) throw new Cancelled();
    return value === true;
  }

  async select(message: string, options: readonly Choice[]): Promise<string> {
    const value = await prompts.select({ ...this.#streams, message, options: [...options] });
    if (prompts.isCancel(value)) throw new Cancelled();
    return String(value);
  }

  /** With many choices one types to find them. */
  async several(
    message: string,
    options: readonly Choice[],
    { initialValues, required }: { readonly initialValues: readonly string[]; readonly required: boolean },
  ): Promise<string[]> {
    const asked = { ...this.#streams, message, options: [...options], initialValues: [...initialValues], required };
    const value = await (options.length > 12
      ? prompts.autocompleteMultiselect({ ...asked, maxItems: 12 })
      : prompts.multiselect(asked));
    if (prompts.isCancel(value)) throw new Cancelled();
    return (value as readonly unknown[]).map(String);
  }

  /** Something that takes a while; the text that it ends with, or the error. */
  async during<T>(message: string, run: () => Promise<T>, textOf: (result: T) => string): Promise<T> {
    const spinner = prompts.spinner(this.#streams);
    spinner.start(message);
    try {
      const result = await run();
      spinner.stop(textOf(result));
      return result;
    } catch (error) {
      spinner.error(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
}
