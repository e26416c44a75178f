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
  value: errorKind<ColumnPlace & { position: string; condition: Condition; reason: string }>({
    code: 'TL-4602',
    title: 'A value can not be carried to the other database as it is',
    recovery: 'halt',
    message: ({ route, table, column, position, reason }) =>
      `route ${route} halted: a value of ${table}.${column} at ${position}: ${reason}`,
    remedy: ({ route, condition }) => {
      const named = convertible.has(condition)
        ? `, or name what is to become of it with \`convert: { ${condition}: ... }\``
        : '';
      return `Change the value at the source, or give the target's column a type that holds it${named} (docs/types.md). Then "tidelock start ${route}".`;
    },
    explanation:
      'Neither database would have said anything: one would have rounded, cut or replaced the value. The value itself is never told; look for it at the source by the position.',
  }),
};
