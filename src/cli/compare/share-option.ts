import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';

/** `5%`, `0.05`. */
export function shareOption(name: string, text: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = digits === undefined ? Number.NaN : Number(digits) / (percent === '%' ? 100 : 1);
  if (!(share > 0 && share <= 1))
    throw fail(configErrors.arguments, { why: `${name} wants a share such as 25%, is ${text}` });
  return share;
}
