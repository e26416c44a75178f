import type { ComponentChildren } from 'preact';
import { ScrollArea } from './scroll-area.tsx';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly numeric?: boolean;
  /** Left out where the screen is narrow. */
  readonly minor?: boolean;
  /** Left out where the screen is not wide. */
  readonly roomy?: boolean;
  /** The width of the screen is its own where rows are stacked. */
  readonly full?: boolean;
  /** Its title stands before it where rows are stacked, as before each number. */
  readonly named?: boolean;
  /** Names the row for those who hear the table. */
  readonly head?: boolean;
}

export interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly rowClass?: (row: Row) => string;
  readonly empty: string;
  /** On a narrow screen each row is a block, and nothing is scrolled sideways. */
  readonly stacked?: boolean;
}

/** A table of documents, scrolled by itself where it is wider than the screen. */
export function DataTable<Row>({ caption, columns, rows, rowKey, rowClass, empty, stacked }: DataTableProps<Row>) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const classOf = ({ numeric, minor, roomy, full, named }: Column<Row>) =>
    [numeric && 'num', minor && 'minor', roomy && 'roomy', full && 'full', named && 'named'].filter(Boolean).join(' ');
  return (
    <ScrollArea label={caption}>
      <table class={stacked ? 'stacked' : ''}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} class={rowClass?.(row) ?? ''}>
              {columns.map((column) =>
                column.head ? (
                  <th key={column.title} scope="row" class={classOf(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.title} class={classOf(column)} data-title={column.title}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollArea>
  );
}
