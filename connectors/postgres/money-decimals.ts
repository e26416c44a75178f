import type { Finding } from '../../src/core/finding.ts';
import type { NodeDefinition } from '../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../src/core/table.ts';
import { connectPostgres } from './connect.ts';

/** What lc_monetary C gives it, under which it is carried (connect.ts). */
const carriedDecimals = 2;

/** How many decimals the database's own lc_monetary gives money. On a session of its own: all others are told which to take. */
export async function moneyDecimals(node: NodeDefinition): Promise<number> {
  const client = await connectPostgres(node, { applicationName: 'tidelock check', own: ['lc_monetary'] });
  try {
    const { rows } = await client.query<{ decimals: number }>('SELECT scale(1::money::numeric) AS decimals');
    return rows[0]?.decimals ?? carriedDecimals;
  } finally {
    await client.end();
  }
}

/**
 * Of a route between vendors: the number that is stored is one of hundredths only where lc_monetary says so, and anything else would be another amount at the other
 * side. `decimals`: see moneyDecimals; asked where there is any money.
 */
export async function moneyFindings(
  node: string,
  tables: readonly TableVersion[],
  decimals: () => Promise<number>,
): Promise<readonly Finding[]> {
  const found = tables.flatMap((table) =>
    table.columns.filter(({ type }) => /^pg_catalog\._?money$/.test(type)).map(({ name }) => ({ table, name })),
  );
  const has = found.length === 0 ? carriedDecimals : await decimals();
  if (has === carriedDecimals) return [];
  return found.map(({ table, name }) => ({
    level: 'error' as const,
    code: 'money.decimals',
    node,
    table: tableLabel(table),
    message: `column ${tableLabel(table)}.${name} is money, which has ${has} decimals by lc_monetary there, and is carried between vendors with ${carriedDecimals}: each amount would be another one`,
    remedy: `Give the column the type numeric, or leave it out with columns: { exclude: [${name}] }.`,
  }));
}
