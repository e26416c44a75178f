import { loadSqlGrammar } from '../../../src/core/sql-grammar.ts';
import type { SqlText } from '../../../src/core/table-schema.ts';

/** Where a text stands so that the grammar takes it. */
const frames = {
  expression: 'SELECT ',
  partitionKey: 'CREATE TABLE t (c int) PARTITION BY ',
} as const;

/**
 * Cuts a text that the server wrote (pg_get_expr, pg_get_partkeydef) at the columns that it names. The grammar tells
 * where they are: a name may also be a function's, a field's or a type's.
 */
export async function sqlPieces(text: string, kind: keyof typeof frames): Promise<SqlText> {
  // Not before it is needed: every worker imports this module, and most routes never come here.
  const { parse } = await loadSqlGrammar();
  const frame = frames[kind];
  const bytes = Buffer.from(frame + text, 'utf8');
  const starts = columnStarts(await parse(frame + text)).sort((a, b) => a - b);
  const pieces: (string | { column: string })[] = [];
  let end = frame.length;
  for (const start of starts) {
    const identifier = identifierAt(bytes, start);
    if (identifier === null) continue;
    if (start > end) pieces.push(bytes.subarray(end, start).toString('utf8'));
    pieces.push({ column: identifier.name });
    end = identifier.end;
  }
  if (end < bytes.length) pieces.push(bytes.subarray(end).toString('utf8'));
  return pieces;
}

/** Offsets in bytes. A domain's VALUE is no column, and the server never qualifies those of the one table. */
function columnStarts(node: unknown): number[] {
  if (Array.isArray(node)) return node.flatMap(columnStarts);
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([key, value]) => {
    const { location = 0, fields, name } = (value ?? {}) as { location?: number; fields?: unknown[]; name?: string };
    if (key === 'ColumnRef' && fields?.length === 1) return [location];
    if (key === 'PartitionElem' && name !== undefined) return [location];
    return columnStarts(value);
  });
}

/** The server writes a name plain where it is lower case and no keyword, else quoted. */
function identifierAt(bytes: Buffer, start: number): { readonly name: string; readonly end: number } | null {
  const quote = 0x22;
  if (bytes[start] !== quote) {
    const name = /^[^\s()[\],;:.+*/<>=~!@#%^&|`?"'-]+/.exec(bytes.subarray(start).toString('utf8'))?.[0];
    return name === undefined ? null : { name, end: start + Buffer.byteLength(name) };
  }
  for (let end = start + 1; end < bytes.length; end++) {
    if (bytes[end] !== quote) continue;
    if (bytes[end + 1] === quote) end++;
    else
      return {
        name: bytes
          .subarray(start + 1, end)
          .toString('utf8')
          .replaceAll('""', '"'),
        end: end + 1,
      };
  }
  return null;
}
