import { isReplacedPart } from '../installation.ts';
import { stackFrames } from '../stack-frames.ts';
import { nodeErrors } from './catalogue/node.ts';
import { supervisionErrors } from './catalogue/supervision.ts';
import { fail, TidelockError } from './tidelock-error.ts';

/** What a program's own mistakes look like; drivers and the network throw plain errors, and some with a code. */
export function isDefect(error: unknown): error is Error {
  return [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind);
}

/** The error itself where it has a code, or is one that we know, else what is known of a defect: its kind and place, since its text may quote a value. */
export function asTidelockError(error: unknown): TidelockError {
  if (error instanceof TidelockError) return error;
  if (isReplacedPart(error)) return fail(supervisionErrors.engineReplaced, {}, error);
  const name = error instanceof Error ? error.name : typeof error;
  const where = (error instanceof Error && stackFrames(error)[0]?.trim()) || '';
  return fail(nodeErrors.defect, { name, where }, error);
}
