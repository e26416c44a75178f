import { type Command, Option } from 'commander';
import { placeText } from '../../control/node-place.ts';
import type { AppliedSchema, ApplySchemaOptions } from '../../control/route-schema.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { counted } from '../counted.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';
import { findingsText, schemaText } from '../schema-text.ts';

interface SchemaOptions extends ControlOptions {
  readonly apply?: boolean | 'before' | 'after' | 'all';
  readonly reason?: string;
}

export function addSchema(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'schema <route>',
    summary:
      "what the target lacks of the source's tables, types, keys and indexes, as SQL; exit code 1 where what is there differs",
    example: 'tidelock schema sales-to-reporting --apply',
  })
    .addOption(
      new Option(
        '--apply [half]',
        'make it: what the load needs (before), the rest (after) or both (all); without a half what it is time for',
      ).choices(['before', 'after', 'all']),
    )
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (route: string, options: SchemaOptions) => schema(line, route, options)));
}

/** 1 where something that is there differs in a way that stops the route. */
async function schema(line: CommandLine, route: string, options: SchemaOptions): Promise<number> {
  await using control = await openControl(line, options);
  if (options.apply === undefined) {
    const document = await control.schema(route);
    if (options.json) writeJson(line, document);
    else line.out.write(schemaText(document));
    return document.findings.some(({ level }) => level === 'error') ? 1 : 0;
  }
  const half = options.apply === true ? null : (options.apply as ApplySchemaOptions['half']);
  const onStatement: ApplySchemaOptions['onStatement'] = ({ what }, { number, count }) => {
    if (!options.json) line.out.write(`${String(number).padStart(String(count).length)}/${count} ${what}\n`);
  };
  const document = await control.applySchema(
    route,
    { half, forMs: null, onStatement },
    askedHere(options.reason),
    line.signal,
  );
  const { refused, findings } = document;
  if (options.json) writeJson(line, document);
  else {
    line.out.write(`${appliedText(document)}\n`);
    for (const { code, message } of refused) line.out.write(`${code} ${message}\n`);
    for (const remedy of new Set(refused.map((statement) => statement.remedy))) line.out.write(`${remedy}\n`);
    line.out.write(findingsText(findings));
  }
  return refused.length > 0 || findings.some(({ level }) => level === 'error') ? 1 : 0;
}

function appliedText({ applied, refused, statements, target }: AppliedSchema): string {
  // An index that could not be built leaves something to be dropped first.
  const isRefused = new Set(refused.flatMap(({ what }) => [what, `remains of ${what}`]));
  const later = statements.filter(({ what }) => !isRefused.has(what));
  const when = later.every(({ half }) => half === 'after') ? ' for after the load' : '';
  const rest = [
    ...(refused.length > 0 ? [`${refused.length} refused`] : []),
    ...(later.length > 0 ? [`${counted(later.length, 'statement')} left${when}`] : []),
  ];
  return `${counted(applied.length, 'statement')} carried out at ${placeText(target)}, ${rest.length === 0 ? 'nothing is missing now' : rest.join(', ')}`;
}
