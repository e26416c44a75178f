import { z } from 'zod';
import { dropOperation } from '../../../transforms/drop-operation.ts';
import { keepAll } from '../../../transforms/keep-all.ts';
import { softDelete } from '../../../transforms/soft-delete.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';
import type { TransformContext } from './transform-context.ts';

const operations = ['insert', 'update', 'delete', 'truncate'] as const;

export function dropOperationSchema(s: Scalars) {
  return z
    .array(s.choice({ now: operations }, 'An operation.'))
    .min(1)
    .meta({
      'x-type': 'list of operations',
      description:
        'Operations that do not travel. A later change of such a row is a collision where the row is missed.',
      examples: [['delete', 'truncate']],
    });
}

export function dropOperationSettings(data: readonly (typeof operations)[number][]): ConfiguredTransform {
  return dropOperation(data);
}

/** The types that a mark may have, with the words for its values. */
const markTypes = {
  boolean: { type: 'pg_catalog.bool', deleted: 'true', there: 'false', pattern: /^(true|false)$/ },
  integer: { type: 'pg_catalog.int4', deleted: '1', there: '0', pattern: /^-?[0-9]{1,9}$/ },
  text: { type: 'pg_catalog.text', deleted: 'deleted', there: null, pattern: /^/ },
} as const;

export function softDeleteSchema(s: Scalars) {
  return s
    .section({
      column: s.text('The column at the target that says it; the source does not have it.', { example: 'is_deleted' }),
      type: s.choice({ now: ['boolean', 'integer', 'text'] }, 'Its type.').prefault('boolean'),
      deleted: s
        .text('Its value in a row that the source has deleted: true, 1 or deleted where it is absent.')
        .optional(),
      there: s.text('Its value in a row that is there: false, 0 or NULL where it is absent.').optional(),
    })
    .meta({
      description: 'A delete marks the row at the target instead. A later insert of the key replaces the marked row.',
    });
}

export function softDeleteSettings(
  data: z.output<ReturnType<typeof softDeleteSchema>>,
  context: TransformContext,
): ConfiguredTransform | null {
  const kind = markTypes[data.type];
  const deleted = data.deleted ?? kind.deleted;
  const there = data.there ?? kind.there;
  for (const [key, value] of [
    ['deleted', deleted],
    ['there', there],
  ] as const)
    if (value !== null && !kind.pattern.test(value)) return context.complain([key], `is no ${data.type}`);
  if (deleted === there) return context.complain(['deleted'], 'is the same as there');
  const canonical = (value: string | null): string | null =>
    data.type === 'boolean' && value !== null ? value.slice(0, 1) : value;
  return softDelete({ column: data.column, type: kind.type, deleted: canonical(deleted), there: canonical(there) });
}

export function keepAllSchema(s: Scalars) {
  return s.flag(
    'Deletes and truncates do nothing at the target: the replica that keeps everything. A later insert of the key replaces the kept row.',
  );
}

export function keepAllSettings(): ConfiguredTransform {
  return keepAll();
}
