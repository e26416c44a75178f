import type { ConfiguredTransform } from '../core/table-mapping.ts';
import type { Path } from './located.ts';
import type { TransformData } from './schema/transform-schema.ts';
import { cleanseSettings } from './transforms/cleanse-settings.ts';
import { lookupSettings } from './transforms/lookup-settings.ts';
import { mapValuesSettings } from './transforms/map-values-settings.ts';
import { maskSettings } from './transforms/mask-settings.ts';
import { dropOperationSettings, keepAllSettings, softDeleteSettings } from './transforms/operation-settings.ts';
import { routeSettings, splitSettings, unpivotSettings } from './transforms/row-settings.ts';
import { TransformContext, type TransformContextOptions } from './transforms/transform-context.ts';
import { useSettings } from './transforms/use-settings.ts';
import { castSettings, defaultSettings, setSettings } from './transforms/value-settings.ts';

/** True for values that are resolved when the transform is bound to a table, not when the route is read. */
export function resolvedLate(path: Path): boolean {
  return path[0] === 'routes' && path.at(-1) === 'key' && path.at(-2) === 'mask' && path.at(-4) === 'transforms';
}

type Name = keyof TransformData;
type Builders = {
  readonly [N in Name]-?: (
    data: NonNullable<TransformData[N]>,
    context: TransformContext,
  ) => ConfiguredTransform | null;
};

/** The one place that knows the built-in transforms. */
const builders: Builders = {
  set: setSettings,
  cast: castSettings,
  default: defaultSettings,
  cleanse: cleanseSettings,
  mapValues: mapValuesSettings,
  mask: maskSettings,
  lookup: lookupSettings,
  route: routeSettings,
  split: splitSettings,
  unpivot: unpivotSettings,
  dropOperation: dropOperationSettings,
  softDelete: softDeleteSettings,
  keepAll: keepAllSettings,
  use: useSettings,
};

/** `options` are those of the entry; null where something of it was complained about. */
export function builtInTransform(
  data: TransformData,
  optionsOf: (name: string) => TransformContextOptions,
): ConfiguredTransform | null {
  for (const name of Object.keys(builders) as Name[]) {
    const value = data[name];
    if (value === undefined) continue;
    const build = builders[name] as (value: unknown, context: TransformContext) => ConfiguredTransform | null;
    return build(value, new TransformContext(optionsOf(name)));
  }
  return null;
}
