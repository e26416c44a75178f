import { z } from 'zod';
import { cleanse } from '../../../transforms/cleanse.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';

export function cleanseSchema(s: Scalars) {
  return s
    .section({
      columns: s.columns('Text columns to tidy.', ['name', 'city']),
      replace: z
        .record(z.string().min(1), z.string())
        .prefault({})
        .meta({
          'x-type': 'text: text',
          description: 'First: texts that are replaced wherever they stand, the longest first.',
          examples: [{ '\t': ' ' }],
        }),
      normalise: s
        .choice({ now: ['NFC', 'NFD', 'NFKC', 'NFKD'] }, 'Second: the Unicode normal form.', { example: 'NFC' })
        .optional(),
      collapse: z
        .boolean()
        .prefault(false)
        .meta({ 'x-type': 'true | false', description: 'Third: runs of white space become one blank.' }),
      trim: s
        .choice({ now: ['both', 'start', 'end'] }, 'Fourth: white space at the ends goes.', { example: 'both' })
        .optional(),
      case: s.choice({ now: ['lower', 'upper'] }, 'Fifth: all letters small, or all capitals.').optional(),
      nullIf: z
        .array(z.string())
        .prefault([])
        .meta({
          'x-type': 'list of texts',
          description: 'Last: these texts become NULL.',
          examples: [['', 'N/A']],
        }),
    })
    .meta({ description: 'Tidies texts. Refused on key columns.' });
}

type Data = z.output<ReturnType<typeof cleanseSchema>>;

export function cleanseSettings(data: Data): ConfiguredTransform {
  const { columns, replace, normalise = null, collapse, trim = null, nullIf } = data;
  return cleanse({
    columns,
    replace: new Map(Object.entries(replace)),
    normalise,
    collapse,
    trim,
    case: data.case ?? null,
    nullIf,
  });
}
