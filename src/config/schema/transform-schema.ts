import { z } from 'zod';
import type { Scalars } from './scalars.ts';

/** One entry of `transforms`: a mapping whose one key is the transform's name. */
export function transformSchema(s: Scalars) {
  return s
    .section({
      mask: s
        .section({
          columns: z
            .array(s.text('A column of the source table, as the database has it.'))
            .min(1)
            .meta({
              'x-type': 'list of columns',
              description: 'Source columns to mask.',
              examples: [['email']],
            }),
          method: z
            .union([s.choice({ now: ['hmac', 'redact', 'null'] }, ''), z.null().transform(() => 'null' as const)])
            .meta({
              'x-type': 'hmac | redact | null',
              description:
                '`hmac`: HMAC-SHA-256 of the text in lower-case hexadecimal, the same for the same value and key; `redact`: a fixed text; `null`: no value. The first two are for text columns. NULL stays NULL.',
              examples: ['hmac'],
            }),
          key: s.secret('For `hmac`, required: the secret key.', { example: '${MASK_KEY}' }).optional(),
          length: s
            .integer(
              { min: 8, max: 64 },
              'For `hmac`: hexadecimal digits to keep, 32 where it is absent. Below 32 it is refused on key columns.',
            )
            .optional(),
          with: s.text('For `redact`: the text; *** where it is absent.', { example: '***' }).optional(),
        })
        .meta({ description: 'Replaces values by others that do not give them away.' })
        .optional(),
      use: s.notYet("transforms of one's own (use)"),
    })
    .superRefine((entry, context) => {
      if (Object.keys(entry).length === 0) context.addIssue({ code: 'custom', message: 'names no transform' });
    });
}

export type TransformData = z.output<ReturnType<typeof transformSchema>>;
export type MaskData = NonNullable<TransformData['mask']>;
