import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import type { TablePlan } from './table-plan.ts';

interface Place {
  readonly route: string;
  readonly position: string;
}

/** Of rows that were written with foreign keys off: halts where one points to a row that is not there. A NULL points nowhere. */
export async function demandParents(session: MysqlSession, place: Place, plans: readonly TablePlan[]): Promise<void> {
  for (const { target, label } of plans) {
    const rows = await session.query(
      `select constraint_name, column_name, referenced_table_schema, referenced_table_name, referenced_column_name
       from information_schema.key_column_usage where table_schema = ? and table_name = ? and referenced_table_name is not null
       order by constraint_name, ordinal_position`,
      [target.schema, target.name],
    );
    for (const constraint of new Set(rows.map(([name]) => name))) {
      const columns = rows.filter(([name]) => name === constraint);
      const [, , schema, name, parentColumn] = columns[0] ?? [];
      const parent = { schema: String(schema), name: String(name) };
      const pairs = columns.map(
        ([, column, , , referenced]) =>
          `p.${quoteIdentifier(String(referenced))} = c.${quoteIdentifier(String(column))}`,
      );
      const given = columns.map(([, column]) => `c.${quoteIdentifier(String(column))} is not null`);
      const [orphan] = await session.query(
        `select 1 from ${quoteTable(target)} as c left join ${quoteTable(parent)} as p on ${pairs.join(' and ')}
         where ${given.join(' and ')} and p.${quoteIdentifier(String(parentColumn))} is null limit 1`,
      );
      if (orphan === undefined) continue;
      const message = `foreign key ${constraint}: a row of the table points to one of ${tableLabel(parent)} that is not at the target`;
      throw fail(targetErrors.loadRefused, {
        ...place,
        table: label,
        column: String(columns[0]?.[1]),
        sqlState: '23000',
        message,
      });
    }
  }
}
