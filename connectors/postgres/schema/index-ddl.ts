import type { TableName } from '../../../src/core/table.ts';
import type { ForeignKeySchema, IndexElement, IndexSchema } from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { columnList, deferrableText, sqlText } from './sql-text.ts';

export function createIndex(index: IndexSchema, table: TableName, concurrently: boolean): string {
  const { name, unique, method, where } = index;
  const words = ['CREATE', unique && 'UNIQUE', 'INDEX', concurrently && 'CONCURRENTLY', name && quoteIdentifier(name)];
  const filter = where === null ? '' : ` WHERE ${sqlText(where)}`;
  return `${words.filter(Boolean).join(' ')} ON ${quoteTable(table)} USING ${methodText(method)} (${elements(index)})${tail(index)}${filter}`;
}

/** A primary key, unique or exclusion constraint, as it stands in CREATE TABLE and behind ADD. */
export function constraintDdl(index: IndexSchema): string {
  const { name, constraint, method, where, deferrable } = index;
  const named = name === '' ? '' : `CONSTRAINT ${quoteIdentifier(name)} `;
  const filter = where === null ? '' : ` WHERE (${sqlText(where)})`;
  const kind =
    constraint === 'exclude'
      ? `EXCLUDE USING ${methodText(method)}`
      : constraint === 'primary'
        ? 'PRIMARY KEY'
        : `UNIQUE${index.nullsNotDistinct ? ' NULLS NOT DISTINCT' : ''}`;
  return `${named}${kind} (${elements(index)})${tail({ ...index, nullsNotDistinct: false })}${filter}${deferrableText(deferrable)}`;
}

/** For one whose index is there. */
export function constraintOfIndex(index: IndexSchema): string {
  const name = quoteIdentifier(index.name);
  const kind = index.constraint === 'primary' ? 'PRIMARY KEY' : 'UNIQUE';
  return `CONSTRAINT ${name} ${kind} USING INDEX ${name}${deferrableText(index.deferrable)}`;
}

/** Quoted only where it has to be: nearly all are btree, and people read this. */
function methodText(method: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(method) ? method : quoteIdentifier(method);
}

function elements({ elements: all, withoutOverlaps, constraint }: IndexSchema): string {
  const isPlain = constraint === 'primary' || constraint === 'unique';
  return all
    .map((element, at) => {
      const overlaps = withoutOverlaps && at === all.length - 1 ? ' WITHOUT OVERLAPS' : '';
      return isPlain ? `${sqlText(element.value)}${overlaps}` : elementText(element);
    })
    .join(', ');
}

function elementText({ value, isColumn, collation, operatorClass, order, operator }: IndexElement): string {
  const text = isColumn ? sqlText(value) : `(${sqlText(value)})`;
  const collated = collation === null ? '' : ` COLLATE ${collation}`;
  const ofClass = operatorClass === null ? '' : ` ${operatorClass}`;
  return `${text}${collated}${ofClass}${order}${operator === null ? '' : ` WITH OPERATOR(${operator})`}`;
}

function tail({ include, nullsNotDistinct, options }: IndexSchema): string {
  const parts = [
    include.length > 0 && ` INCLUDE ${columnList(include)}`,
    nullsNotDistinct && ' NULLS NOT DISTINCT',
    options.length > 0 && ` WITH (${options.join(', ')})`,
  ];
  return parts.filter(Boolean).join('');
}

export function foreignKeyDdl(key: ForeignKeySchema, suffix: string): string {
  const { name, columns, references, referenced, actions, setColumns, deferrable, enforced, period } = key;
  const list = (all: readonly string[]): string => {
    if (!period) return columnList(all);
    const quoted = all.map(quoteIdentifier);
    return `(${[...quoted.slice(0, -1), `PERIOD ${quoted.at(-1)}`].join(', ')})`;
  };
  const only = setColumns.length === 0 ? '' : ` ${columnList(setColumns)}`;
  return `CONSTRAINT ${quoteIdentifier(name)} FOREIGN KEY ${list(columns)} REFERENCES ${quoteTable(references)} ${list(referenced)}${actions}${only}${deferrableText(deferrable)}${enforced ? suffix : ' NOT ENFORCED'}`;
}
