import { z } from 'zod';
import { mapValues } from '../../../transforms/map-values.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';

export function mapValuesSchema(s: Scalars) {
  return s
    .section({
      columns: s.columns('Columns whose values are replaced.', ['status']),
      values: z.record(z.string(), z.union([z.string(), z.null()])).meta({
        'x-type': 'value: value',
        description: 'Old value: new value, each as the source writes it as text. Numbers need quotes.',
        examples: [{ A: 'active', I: 'inactive' }],
      }),
      otherwise: s
        .choice(
          { now: ['halt', 'keep', 'null'] },
          'What becomes of a value that is not in the list: `halt` stops the route, `keep` leaves it, `null` makes it NULL.',
        )
        .prefault('halt'),
      nullTo: s.text('What NULL becomes; it stays NULL where this is absent.').optional(),
      type: s
        .choice({ now: ['same', 'text'] }, '`text`: the column is text afterwards; `same`: it keeps its type.')
        .prefault('same'),
    })
    .meta({ description: 'Replaces values by others of a list.' });
}

type Data = z.output<ReturnType<typeof mapValuesSchema>>;

export function mapValuesSettings(data: Data): ConfiguredTransform {
  const { columns, values, otherwise, nullTo = null, type } = data;
  return mapValues({ columns, values: new Map(Object.entries(values)), otherwise, nullTo, toText: type === 'text' });
}
