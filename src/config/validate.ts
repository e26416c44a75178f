import type { z } from 'zod';
import { didYouMean } from '../core/nearest-name.ts';
import { keyPlaceOf, type Located, type Path, placeOf, plain, without } from './located.ts';
import type { Problems } from './problem.ts';
import { describeKind, later } from './schema/scalars.ts';

interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly atKey: boolean;
  /** An unknown key that begins with x-: not a problem, the user's own. */
  readonly extension: boolean;
}

/**
 * Checks a tree against a schema. What is wrong goes to `problems`, with places; returns the typed data, or null where
 * anything is wrong. Keys that begin with x- are left out wherever they are not valid.
 */
export function validate<T>(
  schema: z.ZodType<T>,
  node: Located,
  context: { readonly path: Path; readonly problems: Problems },
): T | null {
  const first = schema.safeParse(plain(node), { reportInput: true });
  if (first.success) return first.data;
  const findings = first.error.issues.flatMap((issue) => read(issue, []));
  const extensions = findings.filter((finding) => finding.extension).map((finding) => finding.path);
  if (extensions.length > 0) return validate(schema, without(node, extensions), context);
  for (const { path, message, atKey } of findings) {
    const place = atKey ? keyPlaceOf(node, path) : placeOf(node, path);
    const kind = message.startsWith(later) ? 'notInThisVersion' : 'invalid';
    context.problems.add({ kind, place, path: [...context.path, ...path], message });
  }
  return null;
}

function read(issue: z.core.$ZodIssue, base: Path): Finding[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const here = (message: string, atKey = false): Finding[] => [{ path, message, atKey, extension: false }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const message = `unknown key${didYouMean(key, issue.message.split(' '))}`;
        return { path: [...path, key], message, atKey: true, extension: key.startsWith('x-') };
      });
    case 'invalid_key':
      return issue.issues.flatMap((inner) => here(inner.message, true));
    case 'invalid_union':
      return issue.message === 'Invalid input' ? bestBranch(issue.errors, path) : here(issue.message);
    case 'invalid_type':
      return here(issue.message.startsWith('Invalid input') ? wrongKind(issue.expected, issue.input) : issue.message);
    case 'too_small':
      return here(issue.message.startsWith('Too small') ? 'wants at least one entry' : issue.message);
    default:
      return here(issue.message);
  }
}

/** A union of a short and a long form: the problems of the form that the value has, not of the other one. */
function bestBranch(branches: readonly (readonly z.core.$ZodIssue[])[], path: Path): Finding[] {
  const ofThisForm = branches.filter(
    (issues) => !issues.some((issue) => issue.path.length === 0 && isWrongKind(issue)),
  );
  const chosen = ofThisForm[0] ?? branches[0] ?? [];
  return chosen.flatMap((issue) => read(issue, path));
}

function isWrongKind(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type';
}

function wrongKind(expected: string, input: unknown): string {
  const nouns: Record<string, string> = { object: 'a mapping', record: 'a mapping', array: 'a list', string: 'text' };
  return input === undefined ? 'is required' : `wants ${nouns[expected] ?? expected}, is ${describeKind(input)}`;
}
