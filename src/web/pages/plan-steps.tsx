import type { PlannedRoute, TableStep } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';

const columns: readonly Column<TableStep>[] = [
  { title: 'Table', head: true, cell: ({ source }) => source },
  { title: 'Step', cell: ({ action }) => action },
  { title: 'What happens', cell: whatHappens },
];

type Setting = PlannedRoute['settings'][number];

const settingColumns: readonly Column<Setting>[] = [
  { title: 'Setting', head: true, cell: ({ name }) => <code>{name}</code> },
  { title: 'Is', cell: ({ before }) => <code>{shown(before)}</code> },
  { title: 'Becomes', cell: ({ after }) => <code>{shown(after)}</code> },
];

/** What happens to each table, then the settings. */
export function PlanSteps({ route }: { readonly route: PlannedRoute }) {
  const { name, tables, settings } = route;
  return (
    <>
      {tables.length > 0 && (
        <DataTable
          caption={`Tables of ${name} that change`}
          columns={columns}
          rows={tables}
          rowKey={({ source, target }) => `${source} ${target}`}
          empty=""
        />
      )}
      {settings.length > 0 && (
        <DataTable
          caption={`Settings of ${name} that change`}
          columns={settingColumns}
          rows={settings}
          rowKey={(setting) => setting.name}
          empty=""
        />
      )}
    </>
  );
}

function whatHappens({ action, target, before = '', loads = true, replaced = [], changed = [] }: TableStep): string {
  const replacing = replaced.length === 0 ? '' : `, in place of the rows of ${replaced.join(', ')}`;
  switch (action) {
    case 'add':
      return loads ? `loaded into ${target}${replacing}` : `followed into ${target}, without a load`;
    case 'drop':
      return `no longer followed; the rows of ${target} stay`;
    case 'move':
      return `loaded into ${target}${replacing}; the rows of ${before} stay`;
    case 'reload':
      return `${changed.join(', ')}: loaded again, the rows of ${target} are replaced`;
    case 'remap':
      return before === target
        ? `${changed.join(', ')}: only what comes later; the rows of ${target} stay as they are`
        : `from now on to ${target}; the rows of ${before} stay`;
    default:
      return target;
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
