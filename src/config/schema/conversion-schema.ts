import type { Scalars } from './scalars.ts';

/** `convert` of a route between vendors. What each word means is one with src/core/types/conversions.ts. */
export function conversionSchema(s: Scalars) {
  return s
    .section({
      precision: s
        .choice({ now: ['round'] }, 'Numbers with more digits than the target holds: half away from zero.', {
          example: 'round',
        })
        .optional(),
      special: s
        .choice({ now: ['toNull'] }, 'NaN and infinities, where the target has none.', { example: 'toNull' })
        .optional(),
      nul: s
        .choice({ now: ['remove'] }, 'The character U+0000, which PostgreSQL does not have in texts.', {
          example: 'remove',
        })
        .optional(),
      charset: s
        .choice({ now: ['replace'] }, 'Characters that the target lacks: by a question mark.', { example: 'replace' })
        .optional(),
      length: s
        .choice({ now: ['truncate'] }, 'Texts and bytes that are longer than the target allows.', {
          example: 'truncate',
        })
        .optional(),
      blanks: s
        .choice({ now: ['trim'] }, 'Blanks at the end of a text, where the target does not keep them.', {
          example: 'trim',
        })
        .optional(),
      zeroDate: s
        .choice(
          { now: ['toNull'] },
          "Dates that are none of the calendar: 0000-00-00 and others of MySQL's, which PostgreSQL does not have.",
          { example: 'toNull' },
        )
        .optional(),
      dateRange: s
        .choice({ now: ['toNull'] }, 'Times before or behind what the target holds, and infinite ones.', {
          example: 'toNull',
        })
        .optional(),
      fraction: s
        .choice({ now: ['round', 'truncate'] }, 'Digits of a second that the target lacks.', { example: 'round' })
        .optional(),
      json: s
        .choice(
          { now: ['normalize'] },
          'JSON that is kept as it was written (json, MariaDB) becomes JSON that is kept as what it means (jsonb, MySQL): without the order of keys, repeated keys and blanks.',
          { example: 'normalize' },
        )
        .optional(),
      zone: s
        .timeZone('What times without a zone mean, where the other side keeps moments: `UTC`, or a distance from it.', {
          example: '+02:00',
        })
        .optional(),
    })
    .prefault({})
    .meta({
      description:
        'Between databases of different vendors: what becomes of values that can not be carried as they are. Without a word for it such a value halts the route (TL-4602). docs/types.md says where each is needed.',
    });
}
