import { createHash } from 'node:crypto';
import { z } from 'zod';
import { use } from '../../../transforms/use.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import type { Scalars } from '../schema/scalars.ts';
import type { TransformContext } from './transform-context.ts';

/** `use: ./file.ts`, or with options. */
export function useSchema(s: Scalars) {
  const file = s.text('A module whose default export is a user exit (docs/transforms.md).', {
    example: './exits/customers.ts',
  });
  return z
    .union([
      file,
      s.section({
        file,
        with: z
          .unknown()
          .optional()
          .meta({ 'x-type': 'anything', description: 'What the exit is given as `options`.' }),
      }),
    ])
    .meta({
      'x-type': 'file',
      description: "The user's own code. Its file is part of the configuration: changing it changes the route.",
      examples: ['./exits/customers.ts'],
    });
}

export function useSettings(
  data: z.output<ReturnType<typeof useSchema>>,
  context: TransformContext,
): ConfiguredTransform | null {
  const { file, options } =
    typeof data === 'string' ? { file: data, options: undefined } : { file: data.file, options: data.with };
  // The module is imported from the disk: where it has changed, that has to show.
  const bytes = context.readFile(typeof data === 'string' ? [] : ['file'], file, true);
  if (bytes === null) return null;
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { ...use({ file: context.fileOf(file), options }), digest };
}
