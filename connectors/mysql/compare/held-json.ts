import type { MysqlSession } from '../connect.ts';
import { textLiteral } from '../target/value-literal.ts';
import type { Canonical } from './canonical-text.ts';

const statementBytes = 1_000_000;

/**
 * Makes documents of the given columns what MySQL would store of them: it sorts their keys, and has one text for each. A text that is no document stays as
 * it is, so that it is equal to none.
 */
export async function heldJson(
  session: MysqlSession,
  rows: readonly Canonical[][],
  columns: readonly number[],
): Promise<void> {
  const cells = rows.flatMap((row) =>
    columns.flatMap((at) => (typeof row[at] === 'string' ? [{ row, at, text: row[at] }] : [])),
  );
  for (let from = 0; from < cells.length; ) {
    const some = [];
    for (let bytes = 0; from < cells.length && (some.length === 0 || bytes < statementBytes); from++) {
      const cell = cells[from];
      if (cell === undefined) break;
      some.push(cell);
      bytes += cell.text.length;
    }
    const values = some.map(({ text }, at) => `ROW(${at}, ${textLiteral(text)})`);
    const held = await session.query(
      `SELECT n, IF(JSON_VALID(d), CAST(CAST(d AS JSON) AS CHAR), d) FROM (VALUES ${values.join(',')}) AS v (n, d) ORDER BY n`,
    );
    for (const [at, [, text]] of held.entries()) {
      const cell = some[at];
      if (cell !== undefined) cell.row[cell.at] = text ?? null;
    }
  }
}
