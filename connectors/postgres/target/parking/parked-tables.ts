import type pg from 'pg';
import type { Row } from '../../../../src/core/cell.ts';
import type { RowChange } from '../../../../src/core/change.ts';
import type { ParkedTables } from '../../../sql/parking/parking.ts';
import { type KeyColumns, TableClaims } from '../../../sql/parking/table-claims.ts';
import { isAlike } from '../comparable-types.ts';
import { normaliser } from '../key-form.ts';
import type { TablePlan } from '../table-plan.ts';
import { oldImage, readOldRows } from './old-rows.ts';
import { readTableKeys } from './table-keys.ts';

/** What parked changes of tables in PostgreSQL hold. */
export function parkedTables(client: pg.Client): ParkedTables<TablePlan> {
  return {
    claims: async (plans) => {
      const keys = await readTableKeys(
        client,
        plans.map(({ target }) => target.oid),
      );
      return new Map(
        plans.flatMap((plan) => {
          const known = keys.get(plan.target.oid);
          return known === undefined ? [] : [[plan, new TableClaims(plan, known, keyColumns(plan))]];
        }),
      );
    },
    oldRows: async (plan, columns, changes) => {
      const rows = await readOldRows(client, plan, columns, changes);
      return (change: RowChange): Row | null | undefined => {
        const image = columns.length === 0 ? null : oldImage(plan, change);
        return image === null ? undefined : (rows.get(plan.readKey?.(image) ?? '') ?? null);
      };
    },
  };
}

function keyColumns(plan: TablePlan): KeyColumns {
  const columnAt = (index: number) => plan.columns.find((bound) => bound.index === index)?.column;
  return {
    indexOf: (name) => plan.columns.find(({ column }) => column.name === name)?.index ?? -1,
    normaliser: (index) => {
      const column = columnAt(index);
      return column === undefined ? null : normaliser(column);
    },
    isComparable: (index, parent) => isAlike(columnAt(index)?.baseType, parent),
    unlogged: plan.readKey === null ? 'ignored' : 'fetched',
  };
}
