import type { z } from 'zod';
import { cleanseSchema } from '../transforms/cleanse-settings.ts';
import { lookupSchema } from '../transforms/lookup-settings.ts';
import { mapValuesSchema } from '../transforms/map-values-settings.ts';
import { maskSchema } from '../transforms/mask-settings.ts';
import { dropOperationSchema, keepAllSchema, softDeleteSchema } from '../transforms/operation-settings.ts';
import { routeSchema, splitSchema, unpivotSchema } from '../transforms/row-settings.ts';
import { useSchema } from '../transforms/use-settings.ts';
import { castSchema, defaultSchema, setSchema } from '../transforms/value-settings.ts';
import type { Scalars } from './scalars.ts';

/** One entry of `transforms`: a mapping whose one key is the transform's name. */
export function transformSchema(s: Scalars) {
  return s
    .section({
      set: setSchema(s).optional(),
      cast: castSchema(s).optional(),
      default: defaultSchema(s).optional(),
      cleanse: cleanseSchema(s).optional(),
      mapValues: mapValuesSchema(s).optional(),
      mask: maskSchema(s).optional(),
      lookup: lookupSchema(s).optional(),
      route: routeSchema(s).optional(),
      split: splitSchema(s).optional(),
      unpivot: unpivotSchema(s).optional(),
      dropOperation: dropOperationSchema(s).optional(),
      softDelete: softDeleteSchema(s).optional(),
      keepAll: keepAllSchema(s).optional(),
      use: useSchema(s).optional(),
    })
    .superRefine((entry, context) => {
      const count = Object.values(entry).filter((value) => value !== undefined).length;
      if (count === 0) context.addIssue({ code: 'custom', message: 'names no transform' });
      if (count > 1)
        context.addIssue({ code: 'custom', message: 'names more than one transform: each is an entry of its own' });
    });
}

export type TransformData = z.output<ReturnType<typeof transformSchema>>;
