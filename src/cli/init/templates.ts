import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { didYouMean } from '../../core/nearest-name.ts';
import type { Template } from './template.ts';
import { fanOut } from './templates/fan-out.ts';
import { keepEverything } from './templates/keep-everything.ts';
import { oneWay } from './templates/one-way.ts';

export const templates: readonly Template[] = [oneWay, fanOut, keepEverything];

export function demandTemplate(name: string): Template {
  const found = templates.find((template) => template.name === name);
  if (found !== undefined) return found;
  const names = templates.map((template) => template.name);
  throw fail(configErrors.unknownName, {
    what: 'template',
    name,
    hint: didYouMean(name, names) || ` (${names.join(', ')})`,
  });
}
