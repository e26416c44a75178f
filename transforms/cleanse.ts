import { columnTransform } from '../src/core/column-transform.ts';
import { configErrors } from '../src/core/errors/catalogue/config.ts';
import { fail } from '../src/core/errors/tidelock-error.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';
import { isPadded, isTextType } from '../src/core/text-types.ts';

export interface CleanseOptions {
  readonly columns: readonly string[];
  /** Texts to replace, longest first, each wherever it stands. */
  readonly replace: ReadonlyMap<string, string>;
  readonly normalise: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | null;
  /** Runs of white space become one blank. */
  readonly collapse: boolean;
  readonly trim: 'both' | 'start' | 'end' | null;
  readonly case: 'lower' | 'upper' | null;
  /** Texts that become NULL, compared after all else. */
  readonly nullIf: readonly string[];
}

/** Tidies texts, in the order of the options. NULL stays NULL. */
export function cleanse(options: CleanseOptions): ConfiguredTransform {
  const steps = textSteps(options);
  return columnTransform({
    name: 'cleanse',
    isTotal: true,
    columns: options.columns,
    injective: false,
    compile({ name, type }) {
      if (!isTextType(type))
        throw fail(configErrors.transformType, {
          transform: 'cleanse',
          column: name,
          type,
          wanted: 'text, varchar and char',
        });
      const compared = isPadded(type)
        ? (text: string): string => text.replace(/ +$/, '')
        : (text: string): string => text;
      const nulls = new Set(options.nullIf.map(compared));
      return (value) => {
        if (typeof value !== 'string') return value;
        let text = value;
        for (const step of steps) text = step(text);
        return nulls.has(compared(text)) ? null : text;
      };
    },
  });
}

function textSteps(options: CleanseOptions): ((text: string) => string)[] {
  const steps: ((text: string) => string)[] = [];
  const { replace, normalise, collapse, trim } = options;
  if (replace.size > 0) {
    const found = [...replace.keys()].sort((a, b) => b.length - a.length).map(literally);
    const pattern = new RegExp(found.join('|'), 'gu');
    steps.push((text) => text.replace(pattern, (match) => replace.get(match) ?? match));
  }
  if (normalise !== null) steps.push((text) => text.normalize(normalise));
  if (collapse) steps.push((text) => text.replace(/\p{White_Space}+/gu, ' '));
  if (trim === 'both' || trim === 'start') steps.push((text) => text.replace(/^\p{White_Space}+/u, ''));
  if (trim === 'both' || trim === 'end') steps.push(trimEnd);
  // By Unicode's own mapping, the same on every machine.
  if (options.case === 'lower') steps.push((text) => text.toLowerCase());
  if (options.case === 'upper') steps.push((text) => text.toUpperCase());
  return steps;
}

/** JavaScript's own trimEnd has another white space. A pattern would begin anew at each blank of a long text. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
