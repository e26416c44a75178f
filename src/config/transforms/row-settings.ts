import { z } from 'zod';
import { route } from '../../../transforms/route.ts';
import { split } from '../../../transforms/split.ts';
import { unpivot } from '../../../transforms/unpivot.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';
import type { TransformContext } from './transform-context.ts';

export function routeSchema(s: Scalars) {
  return s
    .section({
      rules: z
        .array(
          s.section({
            when: s.expression('A condition.', { example: "region = 'EU'" }),
            to: s.exactTable('The target table.', { example: 'eu.orders' }),
          }),
        )
        .min(1)
        .meta({ 'x-type': 'list of rules', description: 'The first whose condition is true decides.' }),
      otherwise: z
        .union([s.choice({ now: ['stay', 'drop'] }, ''), s.exactTable('A table.')])
        .prefault('stay')
        .meta({
          'x-type': 'stay | drop | table',
          description:
            'Where rows go that no rule takes: `stay` at the own target of the table, `drop` nowhere, or another table.',
        }),
    })
    .meta({ description: 'Sends each row to a table that its values choose.' });
}

export function routeSettings(
  { rules, otherwise }: z.output<ReturnType<typeof routeSchema>>,
  context: TransformContext,
): ConfiguredTransform {
  return route({
    rules: rules.map(({ when, to }) => ({ when: context.expression(when), to: context.table(to) })),
    otherwise: otherwise === 'stay' || otherwise === 'drop' ? otherwise : context.table(otherwise),
  });
}

export function splitSchema(s: Scalars) {
  return s
    .section({
      rows: z
        .array(
          s.section({
            to: s.exactTable('The target table; the own target of the table where it is absent.').optional(),
            when: s.expression('The row is only made where this is true.').optional(),
            set: z
              .record(z.string(), s.expression('An expression.'))
              .prefault({})
              .meta({
                'x-type': 'column: expression',
                description: 'Values of this row, of old or new columns.',
                examples: [{ kind: "'billing'", street: 'billing_street' }],
              }),
            columns: s.columns('The only columns that this row has.', ['id', 'kind', 'street']).optional(),
          }),
        )
        .min(1)
        .meta({ 'x-type': 'list of rows', description: 'The rows that each row becomes.' }),
      key: s
        .columns('Columns that tell rows of one source row apart where they go to one table: part of its key.', [
          'kind',
        ])
        .optional(),
    })
    .meta({ description: 'Makes several rows of each row.' });
}

export function splitSettings(
  { rows, key = [] }: z.output<ReturnType<typeof splitSchema>>,
  context: TransformContext,
): ConfiguredTransform {
  return split({
    rows: rows.map(({ to, when, set, columns = null }) => ({
      to: to === undefined ? null : context.table(to),
      when: when === undefined ? null : context.expression(when),
      set: context.expressions(set),
      columns,
    })),
    key,
  });
}

export function unpivotSchema(s: Scalars) {
  return s
    .section({
      columns: s.columns('Columns of one type, each of which becomes a row. They do not travel themselves.', [
        'q1',
        'q2',
      ]),
      name: s.text('New column: the name of the column that the row was made of. Part of the key.', {
        example: 'quarter',
      }),
      value: s.text('New column: its value.', { example: 'amount' }),
      skipNull: z
        .boolean()
        .prefault(false)
        .meta({ 'x-type': 'true | false', description: 'Columns that are NULL make no row.' }),
    })
    .meta({ description: 'Makes a row of each of several columns.' });
}

export function unpivotSettings(data: z.output<ReturnType<typeof unpivotSchema>>): ConfiguredTransform {
  return unpivot(data);
}
