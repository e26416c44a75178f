import { carryErrors } from './catalogue/carry.ts';
import { configErrors } from './catalogue/config.ts';
import { nodeErrors } from './catalogue/node.ts';
import { routeErrors } from './catalogue/route.ts';
import { serviceErrors } from './catalogue/service.ts';
import { sourceErrors } from './catalogue/source.ts';
import { supervisionErrors } from './catalogue/supervision.ts';
import { targetErrors } from './catalogue/target.ts';
import { transformErrors } from './catalogue/transform.ts';
import type { ErrorKind } from './tidelock-error.ts';

/** Every kind of error there is, by code. docs/errors.md and `tidelock errors` come from here. */
export const errorCatalogue: readonly ErrorKind<never>[] = [
  configErrors,
  serviceErrors,
  targetErrors,
  sourceErrors,
  routeErrors,
  supervisionErrors,
  transformErrors,
  carryErrors,
  nodeErrors,
]
  .flatMap((kinds) => Object.values(kinds) as ErrorKind<never>[])
  .sort((a, b) => a.code.localeCompare(b.code));
