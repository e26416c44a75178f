import type { Connector } from '../../src/core/connector.ts';
import { mysqlInspector } from './node/mysql-inspector.ts';
import { mysqlSharedState } from './shared-state.ts';
import { mysqlSource } from './source/mysql-source.ts';
import { mysqlQueueWatch } from './source/queue-watch.ts';
import { mysqlTarget } from './target/mysql-target.ts';
import { mysqlSchemaWords } from './types/mysql-schema-words.ts';
import { mysqlTypes } from './types/mysql-types.ts';

/** MySQL and MariaDB as source and as target. */
export const mysqlConnector: Connector = {
  types: ['mysql', 'mariadb'],
  values: mysqlTypes,
  words: mysqlSchemaWords,
  source: mysqlSource,
  target: mysqlTarget,
  inspector: mysqlInspector,
  sharedState: mysqlSharedState,
  queueWatch: mysqlQueueWatch,
};
