import '../load-parser.ts';
import { readFileSync } from 'node:fs';
import { bindExpression, parseExpression } from '../expression.ts';
import { functions } from '../functions/functions.ts';
import { formExamples, functionExamples, operatorTypes } from './examples.ts';

const written: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '!~~': 'NOT LIKE',
  '~~*': 'ILIKE',
  '!~~*': 'NOT ILIKE',
};

/** docs/expressions.md: the written introduction, then every function of the table, each example with what it gives. */
export function expressionsPage(): string {
  const introduction = readFileSync(new URL('./introduction.md', import.meta.url), 'utf8').trimEnd();
  const sections = Object.entries(functionExamples).map(([title, examples]) =>
    [
      `### ${title}`,
      '',
      '| name | takes | example | gives |',
      '| --- | --- | --- | --- |',
      ...Object.entries(examples).map(
        ([name, example]) =>
          `| ${code(written[name] ?? name)} | ${takes(name)} | ${code(example)} | ${result(example)} |`,
      ),
    ].join('\n'),
  );
  const forms = formExamples.map((example) => `| ${code(example)} | ${result(example)} |`);
  return [
    introduction,
    '## Functions and operators',
    ...sections,
    ['## Examples', '', '| expression | gives |', '| --- | --- |', ...forms].join('\n'),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** The lists of types that a function takes. */
function takes(name: string): string {
  const summary = operatorTypes[name];
  if (summary !== undefined) return summary;
  const lists = [...functions.keys()]
    .filter((key) => key.startsWith(`${name}(`))
    .map((key) => key.slice(name.length + 1, -1));
  return lists.map((list) => list.replaceAll(',', ', ')).join('; ');
}

function result(example: string): string {
  const value = bindExpression(parseExpression(example), [], { as: 'value' }).evaluate([]);
  return value === null ? 'NULL' : code(value);
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
