import type { Connector } from './core/connector.ts';
import { configErrors } from './core/errors/catalogue/config.ts';
import { fail } from './core/errors/tidelock-error.ts';
import type { NodeType } from './core/route.ts';

const postgres = async (): Promise<Connector> =>
  (await import('../connectors/postgres/postgres-connector.ts')).postgresConnector;
const mysql = async (): Promise<Connector> => (await import('../connectors/mysql/mysql-connector.ts')).mysqlConnector;

const connectors: Readonly<Partial<Record<NodeType, () => Promise<Connector>>>> = { postgres, mysql, mariadb: mysql };

/**
 * Those of a route's ends and no other: a connector is a quarter of what a worker would read, link and keep. All are loaded before the route begins:
 * one that came later could be of another version, where the package is replaced meanwhile.
 */
export async function loadConnectors(types: readonly NodeType[]): Promise<(type: NodeType) => Connector> {
  const loaded = new Map<NodeType, Connector>();
  for (const type of types) {
    const connector = await connectors[type]?.();
    if (connector !== undefined) loaded.set(type, connector);
  }
  return (type) => {
    const connector = loaded.get(type);
    if (connector === undefined) throw fail(configErrors.unknownName, { what: 'connector', name: type, hint: '' });
    return connector;
  };
}
