import type { Template } from '../template.ts';

const isColumn = /^[a-z_][a-z0-9_]*$/;

export const keepEverything: Template = {
  name: 'keep-everything',
  summary: 'a replica that never forgets: rows that the source deletes stay at the target, marked where you like',
  targets: 'one',
  settings: [
    {
      name: 'markColumn',
      question: 'Boolean column at the target that marks deleted rows (empty: they stay as they were)',
      standard: '',
      problem: (value) => (value === '' || isColumn.test(value) ? null : 'wants the name of a column, or nothing'),
    },
  ],
  routes: ({ source, targets, tables, settings: { markColumn = '' } }) =>
    targets.map((to) => ({
      from: source,
      to,
      tables: tables.map((name) => ({
        name,
        transforms: [markColumn === '' ? { keepAll: true } : { softDelete: { column: markColumn } }],
      })),
    })),
  notes: ({ settings: { markColumn = '' } }) => [
    ...(markColumn === ''
      ? []
      : [
          `Add the column at the target, to each table: ALTER TABLE ... ADD COLUMN ${markColumn} boolean NOT NULL DEFAULT false;`,
        ]),
    'Unique indexes beside the key do not belong at the target: the source may give the value of a deleted row to another (docs/transforms.md).',
  ],
};
