import { z } from 'zod';
import { cast } from '../../../transforms/cast.ts';
import { defaultValue } from '../../../transforms/default.ts';
import { set } from '../../../transforms/set.ts';
import type { ConfiguredTransform } from '../../core/table-mapping.ts';
import { castExpression } from '../configured-expression.ts';
import type { Scalars } from '../schema/scalars.ts';
import type { TransformContext } from './transform-context.ts';

type Expressions = Readonly<Record<string, string>>;

export function setSchema(s: Scalars) {
  return z.record(z.string(), s.expression('An expression.')).meta({
    'x-type': 'column: expression',
    description:
      'Gives columns values. A name that the table does not have becomes a new column. Constants are expressions, too: text in single quotes.',
    examples: [{ total: 'price * quantity', site: "'north'" }],
  });
}

export function setSettings(data: Expressions, context: TransformContext): ConfiguredTransform {
  return set(context.expressions(data));
}

export function castSchema(s: Scalars) {
  return z.record(z.string(), s.castType('A type.')).meta({
    'x-type': 'column: type',
    description:
      'Converts columns. What does not fit the type halts the route; less scale or precision rounds, since it was asked for.',
    examples: [{ total: 'numeric(12,2)', code: 'text' }],
  });
}

export function castSettings(data: Expressions): ConfiguredTransform {
  return cast(new Map(Object.entries(data).map(([column, type]) => [column, castExpression(column, type)])));
}

export function defaultSchema(s: Scalars) {
  return z.record(z.string(), s.expression('An expression.')).meta({
    'x-type': 'column: expression',
    description: 'Takes the place of NULL.',
    examples: [{ country: "'unknown'" }],
  });
}

export function defaultSettings(data: Expressions, context: TransformContext): ConfiguredTransform {
  return defaultValue(context.expressions(data));
}
