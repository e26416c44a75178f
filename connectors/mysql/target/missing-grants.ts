import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';

export interface MissingGrant {
  readonly what: string;
  readonly statement: string;
  readonly table?: TableVersion;
  /** Rows flow without it: what needs it comes later. */
  readonly later?: true;
}

/** TRIGGER: whoever has it not is shown none, and would take a table for one without. */
export const rowRights: readonly string[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRIGGER'];
/** Beside those on rows, where definitions are followed: ALTER TABLE asks for both. */
export const alterRights: readonly string[] = ['ALTER', 'CREATE'];
/** The state's tables are made, altered and dropped, and point to each other. */
export const stateRights: readonly string[] = [
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  ...['CREATE', 'ALTER', 'DROP', 'INDEX', 'REFERENCES'],
];

/**
 * What the user lacks. Grants are read as the server shows them to their own user, so that those of active roles count; on whole columns' grants nothing is
 * built: a row is written whole.
 */
export async function missingGrants(
  session: MysqlSession,
  versions: readonly TableVersion[],
  { alters = false } = {},
): Promise<readonly MissingGrant[]> {
  const [row] = await session.query('select current_user()');
  const user = quoteAccount(row?.[0] ?? '');
  const held = await heldGrants(session);
  const lacking = (wanted: readonly string[], schema: string, name: string | null): string[] =>
    wanted.filter((right) => !held.some((grant) => grant.covers(right, schema, name)));
  const missing: MissingGrant[] = [];
  const state = lacking(stateRights, 'tidelock', null);
  if (state.length > 0)
    missing.push({
      what: `${state.join(', ')} on the database tidelock, where positions are kept,`,
      statement: `GRANT ${state.join(', ')} ON tidelock.* TO ${user};`,
    });
  const of = (table: TableVersion, wanted: readonly string[]): MissingGrant[] => {
    const rights = lacking(wanted, table.schema, table.name);
    if (rights.length === 0) return [];
    const what = `${rights.join(', ')} on ${tableLabel(table)}`;
    return [{ what, statement: `GRANT ${rights.join(', ')} ON ${quoteTable(table)} TO ${user};`, table }];
  };
  for (const table of versions) {
    missing.push(...of(table, rowRights));
    if (alters) missing.push(...of(table, alterRights).map((grant) => ({ ...grant, later: true as const })));
  }
  return missing;
}

/** The account's name may have an @ in it; its host has none. */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  return `${quote(account.slice(0, at))}@${quote(account.slice(at + 1))}`;
}

export interface Grant {
  covers(right: string, schema: string, name: string | null): boolean;
}

/** Of the session's own user, with active roles. */
export async function heldGrants(session: MysqlSession): Promise<readonly Grant[]> {
  const rows = await session.query('show grants');
  return rows.flatMap(([text]) => {
    const grant = parseGrant(text ?? '');
    return grant === null ? [] : [grant];
  });
}

/** `GRANT SELECT, INSERT (a, b) ON `shop`.* TO …`; null of what gives no rights on tables. */
export function parseGrant(text: string): Grant | null {
  const match = /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO /s.exec(text);
  if (match === null) return null;
  const [, list = '', database = '', table = ''] = match;
  const unquoted = (name: string): string | null => (name === '*' ? null : name.slice(1, -1).replaceAll('``', '`'));
  // Rights on columns stand before a list in brackets, and are none on the table.
  const rights = new Set(
    list
      .replace(/[A-Z ]+ \([^)]*\)/g, '')
      .split(',')
      .map((right) => right.trim()),
  );
  const [schemaOf, tableOf] = [unquoted(database), unquoted(table)];
  const isOfSchema = schemaOf === null ? () => true : likePattern(schemaOf);
  return {
    covers: (right, schema, name) =>
      (rights.has(right) || rights.has('ALL PRIVILEGES')) &&
      isOfSchema(schema) &&
      (tableOf === null || tableOf === name),
  };
}

/** In a grant on a database `%` and `_` are wildcards, unless behind a backslash. */
function likePattern(pattern: string): (name: string) => boolean {
  const source = pattern.replaceAll(/\\[%_\\]|[%_]|[^\w\s]/g, (found) => {
    if (found === '%') return '.*';
    if (found === '_') return '.';
    return `\\${found.startsWith('\\') && found.length > 1 ? found.slice(1) : found}`;
  });
  const expression = new RegExp(`^${source.replaceAll('\\_', '_')}$`, 's');
  return (name) => expression.test(name);
}
