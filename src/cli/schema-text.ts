import { placeText } from '../control/node-place.ts';
import type { SchemaDocument } from '../control/route-schema.ts';
import type { SchemaStatement } from '../core/table-schema.ts';
import { sqlComment } from './sql-comment.ts';

/** What `tidelock schema` prints: a script that the server's own client takes, with all else as comments. */
export function schemaText({ route, target, statements, findings, left }: SchemaDocument): string {
  const lines = [
    comment(`${route}: ${statements.length === 0 ? 'nothing is missing' : 'missing'} at ${placeText(target)}`),
  ];
  const half = (name: SchemaStatement['half'], title: string): void => {
    const own = statements.filter((statement) => statement.half === name);
    if (own.length > 0) lines.push('', comment(title), ...own.map(({ text }) => `${text};`));
  };
  half('before', 'before the load');
  const isConcurrent = statements.some(({ text }) => text.includes(' CONCURRENTLY '));
  half('after', `after the load${isConcurrent ? '; CONCURRENTLY does not run in a transaction' : ''}`);
  if (findings.length > 0) lines.push('', ...findingLines(findings));
  if (left.length > 0) lines.push('', comment('not made (their texts are in --json)'));
  for (const { kind, name, isNeeded, why } of left)
    lines.push(
      comment(
        `${kind} ${name}${isNeeded ? ', which a statement needs: install it first' : ''}${why ? `: ${why}` : ''}`,
      ),
    );
  return `${lines.join('\n')}\n`;
}

/** What is there and is not as at the source. */
export function findingsText(findings: SchemaDocument['findings']): string {
  return findings.length === 0 ? '' : `${findingLines(findings).join('\n')}\n`;
}

function findingLines(findings: SchemaDocument['findings']): readonly string[] {
  return [
    comment('there, and not as at the source'),
    ...findings.flatMap(({ level, code, message, remedy, statement }) => [
      comment(`${level} ${code} ${message}`),
      comment(statement === undefined ? `  ${remedy}` : `  ${statement}`),
    ]),
  ];
}

function comment(text: string): string {
  return sqlComment(text).join('\n');
}
