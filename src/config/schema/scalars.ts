import { z } from 'zod';
import { didYouMean } from '../../core/nearest-name.ts';
import { PatternProblem, parseTablePattern, parseTargetTemplate } from '../../core/table-pattern.ts';
import { ExpressionProblem } from '../../expression/expression.ts';
import { castExpression, configuredExpression, problemText } from '../configured-expression.ts';
import { durationPattern, parseDuration, parseSize, sizePattern } from '../units.ts';

/**
 * `written`: as the file has it, where any scalar may still hold a reference. `resolved`: references are text, which
 * may be secret, so that messages do not quote values.
 */
export type Phase = 'written' | 'resolved';

/** Messages that begin with this are about what this version does not have. */
export const later = 'not in this version: ';

export interface Extra {
  readonly example?: unknown;
}

/** Builds the leaves of the schemas. Every leaf has the description that the documentation is made of. */
export type Scalars = ReturnType<typeof scalars>;

const reference = /\$\{/;

export function scalars(phase: Phase) {
  const show = (value: unknown): string => {
    if (phase === 'written') return describeValue(value);
    return typeof value === 'string' ? 'something else' : describeKind(value);
  };
  const wants = (what: string) => (issue: { readonly input?: unknown }) =>
    issue.input === undefined ? 'is required' : `wants ${what}, is ${show(issue.input)}`;
  const info = <T extends z.ZodType>(schema: T, type: string, description: string, extra: Extra): T =>
    schema.meta({ 'x-type': type, description, ...(extra.example !== undefined && { examples: [extra.example] }) });

  /** Text of a form; a reference is also good as long as it is not resolved. */
  const formed = (pattern: RegExp, what: string) =>
    z.string({ error: wants(what) }).regex(phase === 'written' ? either(pattern) : pattern, { error: wants(what) });

  const checked = (
    type: string,
    what: string,
    parse: (text: string) => unknown,
    { description, extra }: { description: string; extra: Extra },
  ) =>
    info(
      z.string({ error: wants(what) }).superRefine((text, context) => {
        if (phase === 'written' && reference.test(text)) return;
        try {
          parse(text);
        } catch (error) {
          if (!(error instanceof PatternProblem)) throw error;
          context.addIssue({ code: 'custom', message: error.message });
        }
      }),
      type,
      description,
      extra,
    );

  return {
    phase,

    /** Free text that may be shown. */
    text: (description: string, extra: Extra = {}) =>
      info(z.string({ error: wants('text') }).min(1, { error: wants('text') }), 'text', description, extra),

    /** Free text that is never shown. */
    secret: (description: string, extra: Extra = {}) =>
      info(
        z.string({
          error: (issue) =>
            issue.input === undefined ? 'is required' : `wants text, is ${describeKind(issue.input)} (use quotes)`,
        }),
        'secret text',
        description,
        extra,
      ),

    name: (description: string, extra: Extra = {}) =>
      info(
        formed(namePattern, 'a name: small letters, digits and single hyphens, at most 30'),
        'name',
        description,
        extra,
      ),

    duration: (description: string, extra: Extra = {}) =>
      info(
        formed(durationPattern, 'a duration with a unit, such as 20ms, 10s, 5m, 2h or 1d').transform((text, context) =>
          quantity(parseDuration(text), text, { phase, context }),
        ),
        'duration',
        description,
        extra,
      ),

    /** Percent, as a number from above 0 to 1. */
    share: (description: string, extra: Extra = {}) =>
      info(
        formed(/^(100|[1-9][0-9]?)%$/, 'a share from 1% to 100%').transform(
          (text) => Number.parseInt(text, 10) / 100 || 1,
        ),
        'share',
        description,
        extra,
      ),

    /** `most`: the largest that is taken, as text. */
    size: (description: string, extra: Extra = {}, most?: string) =>
      info(
        formed(sizePattern, 'a size with a unit, such as 256MB, 5GB or 64KiB').transform((text, context) => {
          const bytes = quantity(parseSize(text), text, { phase, context });
          if (most !== undefined && bytes > (parseSize(most) ?? 0))
            context.addIssue({ code: 'custom', message: `is more than ${most}` });
          return bytes;
        }),
        'size',
        description,
        extra,
      ),

    integer: (range: { min: number; max: number }, description: string, extra: Extra = {}) => {
      const error = wants(`a whole number from ${range.min} to ${range.max}`);
      const number = z.int({ error }).min(range.min, { error }).max(range.max, { error });
      // A reference resolves to text: its digits are the number.
      const text =
        phase === 'written'
          ? z
              .string()
              .regex(reference)
              .transform(() => range.min)
          : z
              .string()
              .regex(/^[0-9]{1,15}$/)
              .transform(Number)
              .pipe(number);
      return info(z.union([number, text], { error }), 'integer', description, extra);
    },

    /** One of a few words; `later` are those of the contract that this version does not have. */
    choice: <const T extends readonly string[]>(
      choices: { readonly now: T; readonly later?: readonly string[] },
      description: string,
      extra: Extra = {},
    ) => {
      const error = (issue: { readonly input?: unknown }): string => {
        const { input } = issue;
        const isLater = typeof input === 'string' && choices.later?.includes(input);
        if (isLater) return `${later}the value "${input}"; this version has ${choices.now.join(', ')}`;
        const hint = typeof input === 'string' ? didYouMean(input, choices.now) : '';
        return `${wants(`one of ${choices.now.join(', ')}`)(issue)}${hint}`;
      };
      const words = z.enum(choices.now, { error });
      const schema =
        phase === 'resolved'
          ? words
          : z.union([words, z.string().regex(reference, { abort: true }) as unknown as typeof words], { error });
      const missing = choices.later === undefined ? '' : ` Not in this version: ${choices.later.join(', ')}.`;
      return info(schema, choices.now.join(' | '), `${description}${missing}`, extra);
    },

    tablePattern: (description: string, extra: Extra = {}) =>
      checked('table or glob', 'a table or glob, such as public.orders', parseTablePattern, { description, extra }),

    targetTemplate: (description: string, extra: Extra = {}) =>
      checked('table', 'a table, such as crm.{table}', parseTargetTemplate, { description, extra }),

    /** One table by name. */
    exactTable: (description: string, extra: Extra = {}) =>
      checked(
        'table',
        'a table, such as public.orders',
        (text) => {
          if (parseTablePattern(text).exact === null) throw new PatternProblem('wants one table, not a glob');
        },
        { description, extra },
      ),

    /** Columns of the source table, or those that transforms before have made. */
    columns: (description: string, example: readonly string[]) =>
      z
        .array(
          info(
            z.string({ error: wants('text') }).min(1, { error: wants('text') }),
            'text',
            'A column, as the database has it.',
            {},
          ),
        )
        .min(1)
        .meta({ 'x-type': 'list of columns', description, examples: [example] }),

    /** An expression of docs/expressions.md. */
    expression: (description: string, extra: Extra = {}) =>
      checked('expression', 'an expression in quotes', (text) => expressed(() => configuredExpression(text)), {
        description,
        extra,
      }),

    /** A distance from UTC that never changes. */
    timeZone: (description: string, extra: Extra = {}) =>
      info(
        formed(/^(?:UTC|[-+](?:0[0-9]|1[0-4]):[0-5][0-9])$/, 'UTC or a distance from it, such as +02:00'),
        'UTC | +hh:mm',
        description,
        extra,
      ),

    /** A type that CAST has. */
    castType: (description: string, extra: Extra = {}) =>
      checked('type', 'a type, such as numeric(12,2)', (text) => expressed(() => castExpression('c', text)), {
        description,
        extra,
      }),

    /** Only `true` can be written: without it, leave the key out. */
    flag: (description: string) =>
      info(z.literal(true, { error: wants('true') }), 'true', description, { example: true }),

    listen: (description: string, extra: Extra = {}) =>
      info(
        formed(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):[0-9]{1,5}$/, 'host:port, such as 127.0.0.1:7655'),
        'host:port',
        description,
        extra,
      ),

    /** A mapping with these keys and no others. */
    section: <T extends z.core.$ZodLooseShape>(shape: T) =>
      z.strictObject(shape, {
        // The reporter makes one problem of each unknown key, and needs to know the valid ones.
        error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
      }),

    /** A key of the contract that this version does not have. */
    notYet: (what: string) =>
      z
        .never({ error: () => `${later}${what}` })
        .optional()
        .meta({ 'x-type': 'not in this version', description: what }),
  };
}

export const namePattern = /^(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

function expressed(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    throw error instanceof ExpressionProblem ? new PatternProblem(problemText(error)) : error;
  }
}

function either(pattern: RegExp): RegExp {
  return new RegExp(`${pattern.source}|\\$\\{`);
}

function quantity(
  value: number | null,
  text: string,
  { phase, context }: { phase: Phase; context: z.core.$RefinementCtx },
): number {
  if (value !== null) return value;
  if (phase === 'written' && reference.test(text)) return 0;
  context.addIssue({ code: 'custom', message: 'is too large' });
  return 0;
}

export function describeKind(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'a number' : `${typeof value === 'boolean' ? String(value) : 'something else'}`;
}

function describeValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return describeKind(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}
