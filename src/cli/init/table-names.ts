import type { NodeSurvey } from '../../core/node-inspector.ts';
import type { TableName } from '../../core/table.ts';
import { parseTablePattern } from '../../core/table-pattern.ts';

/** A table as the configuration writes it: in quotes what SQL would fold or cut. */
export function writtenName({ schema, name }: TableName): string {
  const part = (text: string): string =>
    /^[\p{Ll}\p{Lo}\p{M}0-9_$]+$/u.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
  return `${part(schema)}.${part(name)}`;
}

/** Every schema that has tables, as a glob. */
export function schemaGlobs({ tables }: NodeSurvey): { readonly schema: string; readonly glob: string }[] {
  return [...new Set(tables.map(({ schema }) => schema))].map((schema) => ({
    schema,
    glob: writtenName({ schema, name: '*' }).replace('"*"', '*'),
  }));
}

/** What the globs would match, and no route can carry: written out under `exclude`. */
export function proposedExclusions({ notCarried }: NodeSurvey, tables: readonly string[]) {
  const patterns = tables.map(parseTablePattern).filter(({ exact }) => exact === null);
  return notCarried.filter(({ schema, name }) => patterns.some((pattern) => pattern.matches(schema, name)));
}

/** The tables that are carried, of those that were looked at. */
export function carriedTables({ tables }: NodeSurvey, wanted: readonly string[], exclude: readonly string[]) {
  const patterns = wanted.map(parseTablePattern);
  const without = exclude.map(parseTablePattern);
  return tables.filter(({ schema, name }) => {
    const matching = patterns.filter((pattern) => pattern.matches(schema, name));
    if (matching.some(({ exact }) => exact !== null)) return true;
    return matching.length > 0 && !without.some((pattern) => pattern.matches(schema, name));
  });
}
