import { z } from 'zod';
import { fakeKinds } from '../../../transforms/mask/fake-value.ts';
import { mask } from '../../../transforms/mask.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';
import type { TransformContext } from './transform-context.ts';

const methods = ['hmac', 'redact', 'partial', 'form', 'fake', 'null'] as const;

export function maskSchema(s: Scalars) {
  return s
    .section({
      columns: s.columns('Columns to mask.', ['email']),
      method: z.union([s.choice({ now: methods }, ''), z.null().transform(() => 'null' as const)]).meta({
        'x-type': methods.join(' | '),
        description:
          '`hmac`: HMAC-SHA-256 of the text in lower-case hexadecimal, the same for the same value and key; `redact`: a fixed text; `partial`: only the first or last characters stay; `form`: a text of the same form, digits for digits and letters for letters; `fake`: invented data; `null`: no value. All but `null` are for text columns. NULL stays NULL.',
        examples: ['hmac'],
      }),
      key: s.secret('For `hmac`, `form` and `fake`, required: the secret key.', { example: '${MASK_KEY}' }).optional(),
      length: s
        .integer(
          { min: 8, max: 64 },
          'For `hmac`: hexadecimal digits to keep, 32 where it is absent. Below 32 it is refused on key columns.',
        )
        .optional(),
      with: s
        .text(
          'For `redact`: the text, *** where it is absent. For `partial`: what stands for each hidden character, *.',
          {
            example: '***',
          },
        )
        .optional(),
      keepStart: s.integer({ min: 0, max: 1000 }, 'For `partial`: characters that stay at the start.').optional(),
      keepEnd: s.integer({ min: 0, max: 1000 }, 'For `partial`: characters that stay at the end.').optional(),
      kind: s
        .choice({ now: fakeKinds as readonly [string, ...string[]] }, 'For `fake`, required: what to invent.')
        .optional(),
    })
    .meta({ description: 'Replaces values by others that do not give them away.' });
}

type Data = z.output<ReturnType<typeof maskSchema>>;

const onlyFor: readonly (readonly [keyof Data, readonly string[]])[] = [
  ['key', ['hmac', 'form', 'fake']],
  ['length', ['hmac']],
  ['with', ['redact', 'partial']],
  ['keepStart', ['partial']],
  ['keepEnd', ['partial']],
  ['kind', ['fake']],
];

export function maskSettings(data: Data, context: TransformContext): ConfiguredTransform | null {
  const { columns, method } = data;
  for (const [key, needed] of onlyFor)
    if (data[key] !== undefined && !needed.includes(method))
      return context.complain([key], `is only for the method ${needed.join(', ')}`);
  if (method === 'null') return mask({ columns, method });
  if (method === 'redact') return mask({ columns, method, with: data.with ?? '***' });
  if (method === 'partial') {
    const { keepStart = 0, keepEnd = 0 } = data;
    return mask({ columns, method, keepStart, keepEnd, with: data.with ?? '*' });
  }
  if (data.key === undefined) return context.complain(['key'], `is required for the method ${method}`);
  if (data.key === '') return context.complain(['key'], 'is empty');
  const key = context.secret(['key']);
  if (method === 'hmac') return { ...mask({ columns, method, length: data.length ?? 32, key }), secret: key };
  if (method === 'form') return { ...mask({ columns, method, key }), secret: key };
  const kind = fakeKinds.find((one) => one === data.kind);
  return kind === undefined
    ? context.complain(['kind'], 'is required for the method fake')
    : { ...mask({ columns, method: 'fake', kind, key }), secret: key };
}
