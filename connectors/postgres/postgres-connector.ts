import type { Connector } from '../../src/core/connector.ts';
import { postgresInspector } from './node/postgres-inspector.ts';
import { postgresSource } from './source/postgres-source.ts';
import { postgresQueueWatch } from './source/queue-watch.ts';
import { openSharedState } from './state/postgres-route-state.ts';
import { postgresTarget } from './target/postgres-target.ts';
import { postgresSchemaWords } from './types/postgres-schema-words.ts';
import { postgresTypes } from './types/postgres-types.ts';

/** PostgreSQL 14 to 18 as source and as target. */
export const postgresConnector: Connector = {
  types: ['postgres'],
  values: postgresTypes,
  words: postgresSchemaWords,
  source: postgresSource,
  target: postgresTarget,
  inspector: postgresInspector,
  sharedState: openSharedState,
  queueWatch: postgresQueueWatch,
};
