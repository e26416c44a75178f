import { convertible } from '../../types/conversions.ts';
import type { Condition } from '../../types/value-refused.ts';
import { errorKind } from '../tidelock-error.ts';

interface ColumnPlace {
  readonly route: string;
  readonly table: string;
  readonly column: string;
}

/** Between databases of two vendors: what has no form at the target. */
export const carryErrors = {
  type: errorKind<ColumnPlace & { source: string; target: string; reason: string }>({
    code: 'TL-4601',
    title: 'A column can not be carried to the type that it has at the target',
    recovery: 'halt',
    message: ({ route, table, column, source, target, reason }) =>
      `route ${route}: column ${table}.${column} is ${source} at the source and ${target} at the target: ${reason}`,
    remedy: ({ column }) =>
      `Give the target's column a type that takes it (docs/types.md has the whole table), or leave it out with columns: { exclude: [${column}] }.`,
    explanation:
      'Between vendors each pair of types is carried exactly, or exactly under a condition that every value is checked for, or not at all. What is not carried is found before the route starts.',
  }),
  coarserKey: errorKind<ColumnPlace>({
    code: 'TL-4603',
    title: 'A table whose key is coarser at the target can not be loaded beside the stream',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: the key column ${table}.${column} may hold texts for equal at the target that the source tells apart (case, accents, or blanks at the end), so that a load beside the stream could take one row for another`,
    remedy: () =>
      'Give the column a collation that compares bytes, such as utf8mb4_0900_bin (MariaDB: utf8mb4_nopad_bin; PostgreSQL: text in place of citext or char), or bring the rows by other means (docs/load.md).',
    explanation:
      'While ranges of a table are missing, the stream changes rows that are not there yet, and the target finds nothing, which is right. Where its key is coarser it would find another row. In one piece the second of two such rows is refused: so tables are copied that hold no more than 1 GB together, where a route begins with them, unless their rows are merged.',
  }),
  value: errorKind<ColumnPlace & { position: string; condition: Condition; reason: string }>({
    code: 'TL-4602',
    title: 'A value can not be carried to the other database as it is',
    recovery: 'halt',
    message: ({ route, table, column, position, reason }) =>
      `route ${route} halted: a value of ${table}.${column} at ${position}: ${reason}`,
    remedy: ({ route, condition }) => {
      const named = convertible.has(condition)
        ? `, or name what is to become of it with \`convert: { ${condition}: ... }\` and "tidelock apply", which a service that runs takes up on SIGHUP`
        : '';
      return `Give the target's column a type that holds it${named} (docs/types.md). Then "tidelock start ${route}". Changing the value at the source helps where a load has met it, and not where the change queue has it as it was.`;
    },
    explanation:
      'Neither database would have said anything: one would have rounded, cut or replaced the value. The value itself is never told; look for it at the source by the position.',
  }),
};
