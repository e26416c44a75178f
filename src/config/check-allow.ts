import { didYouMean } from '../core/nearest-name.ts';
import { allowNames } from './allow-names.ts';
import { type Located, type Path, placeOf } from './located.ts';
import type { Problems } from './problem.ts';

/** A name that nothing asks for would allow nothing, and is most likely misspelt. */
export function checkAllow(
  allow: readonly string[] | undefined,
  section: keyof typeof allowNames,
  context: { readonly node: Located; readonly path: Path; readonly problems: Problems },
): void {
  const valid = Object.keys(allowNames[section]);
  for (const [index, name] of (allow ?? []).entries()) {
    if (valid.includes(name)) continue;
    const known = valid.length > 0 ? `; known are ${valid.join(', ')}` : '; there is none in this version';
    context.problems.add({
      kind: 'invalid',
      place: placeOf(context.node, ['allow', index]),
      path: [...context.path, 'allow', index],
      message: `is nothing that a ${section} can allow${didYouMean(name, valid)}${known}`,
    });
  }
}
