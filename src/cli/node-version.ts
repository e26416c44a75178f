import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';

/** As `engines` of package.json has it. */
const oldest = '22.22.0';

/** Null where this Node (x.y.z) is new enough. */
export function nodeRefusal(found: string): TidelockError | null {
  const numbers = found.split('.').map(Number);
  for (const [at, wanted] of oldest.split('.').map(Number).entries()) {
    const difference = (numbers[at] ?? 0) - wanted;
    if (difference > 0) return null;
    if (difference < 0) return fail(configErrors.oldNode, { found, oldest });
  }
  return null;
}
