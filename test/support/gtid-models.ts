import fc from 'fast-check';

/** Two servers, one of them with a tag. */
export const gtidSources = [
  '3e11fa47-71ca-11e1-9e33-c80aa9429562',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562:blue',
  '4d22ab00-0000-0000-0000-00000000000f',
] as const;

/** Sets of `source#number`. */
export const gtidModels: fc.Arbitrary<Set<string>> = fc
  .array(fc.record({ source: fc.constantFrom(...gtidSources), number: fc.integer({ min: 1, max: 8 }) }), {
    maxLength: 14,
  })
  .map((entries) => new Set(entries.map(({ source, number }) => `${source}#${number}`)));

/** As MySQL writes the set: each server once, its tags behind its own numbers, intervals that touch as one. */
export function gtidText(model: ReadonlySet<string>): string {
  const servers = new Map<string, string[]>();
  for (const source of gtidSources) {
    const numbers = Array.from({ length: 14 }, (_, number) => number).filter((number) =>
      model.has(`${source}#${number}`),
    );
    if (numbers.length === 0) continue;
    const [uuid = '', tag] = source.split(':');
    const parts = servers.get(uuid) ?? [];
    if (tag !== undefined) parts.push(tag);
    const starts = numbers.filter((number) => !numbers.includes(number - 1));
    const ends = numbers.filter((number) => !numbers.includes(number + 1));
    parts.push(...starts.map((start, at) => (start === ends[at] ? `${start}` : `${start}-${ends[at]}`)));
    servers.set(uuid, parts);
  }
  return [...servers].map(([uuid, parts]) => [uuid, ...parts].join(':')).join(',');
}
