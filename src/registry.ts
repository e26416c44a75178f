import { mysqlConnector } from '../connectors/mysql/mysql-connector.ts';
import { postgresConnector } from '../connectors/postgres/postgres-connector.ts';
import type { Connector } from './core/connector.ts';
import { configErrors } from './core/errors/catalogue/config.ts';
import { fail } from './core/errors/tidelock-error.ts';
import type { NodeType } from './core/route.ts';

/** The only importer of connectors, with route-connectors.ts, which loads them one by one. */
const connectors: readonly Connector[] = [postgresConnector, mysqlConnector];

export function connectorFor(type: NodeType): Connector {
  const connector = connectors.find(({ types }) => types.includes(type));
  if (connector === undefined) throw fail(configErrors.unknownName, { what: 'connector', name: type, hint: '' });
  return connector;
}
