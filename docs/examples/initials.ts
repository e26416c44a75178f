import type { UserExit } from 'tidelock';

/** A user exit: puts the initials of a name into a column of their own. `with: { separator: "." }` in the configuration. */
export default {
  bind({ columns, options }) {
    const { separator = '.' } = (options ?? {}) as { separator?: string };
    if (!columns.some(({ name }) => name === 'name')) throw new Error('the table has no column name');
    return {
      reads: ['name'],
      writes: [{ name: 'initials', type: 'pg_catalog.text' }],
      row: ({ name }) => ({ initials: typeof name === 'string' ? initials(name, separator) : null }),
    };
  },
} satisfies UserExit;

function initials(name: string, separator: string): string {
  return name
    .split(/\s+/u)
    .filter((word) => word !== '')
    .map((word) => [...word][0]?.toUpperCase() + separator)
    .join('');
}
