import { type Command, Option } from 'commander';
import { placeText } from '../../control/node-place.ts';
import type { ApplySchemaOptions } from '../../control/route-schema.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';
import { schemaText } from '../schema-text.ts';

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
  const { applied, statements, target, findings } = document;
  if (options.json) writeJson(line, document);
  else {
    const rest =
      statements.length === 0
        ? 'nothing is missing now'
        : `${statements.length} statements are left for after the load`;
    line.out.write(`${applied.length} statements carried out at ${placeText(target)}, ${rest}\n`);
    if (findings.length > 0) line.out.write(schemaText({ ...document, statements: [], left: [] }));
  }
  return findings.some(({ level }) => level === 'error') ? 1 : 0;
}
