import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { Configuration } from '../../config/configuration.ts';
import { configurationJsonSchema } from '../../config/json-schema.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { openConfiguration } from '../open-configuration.ts';

export function addConfig(program: Command, line: CommandLine): void {
  const config = program
    .command('config')
    .description('the configuration: its schema, what it resolves to, whether it is valid');
  addCommand(config, {
    name: 'schema',
    summary: 'the JSON Schema, for editors',
    example: 'tidelock config schema > tidelock.schema.json',
  }).action(
    exits(line, async () => {
      line.out.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
      return 0;
    }),
  );
  addCommand(config, {
    name: 'show',
    summary: 'the configuration with every reference and default resolved, without secrets',
    example: 'tidelock config show --json',
  }).action(
    exits(line, async (options: CommonOptions) => {
      const shown = shownConfiguration(openConfiguration(line, options));
      if (options.json) writeJson(line, shown);
      else line.out.write(stringify(shown));
      return 0;
    }),
  );
  addCommand(config, {
    name: 'validate',
    summary: 'whether the configuration is valid and every reference can be resolved; connects to nothing',
    example: 'tidelock config validate',
  }).action(
    exits(line, async (options: CommonOptions) => {
      const configuration = openConfiguration(line, options);
      configuration.resolveAll();
      // Read for what only values can be wrong about.
      void [configuration.service, configuration.notify];
      const { file, nodes, routes } = shownConfiguration(configuration);
      const counts = { nodes: Object.keys(nodes).length, routes: Object.keys(routes).length };
      if (options.json) writeJson(line, { version: 1, file, valid: true, ...counts });
      else line.out.write(`${file} is valid: ${counted(counts.nodes, 'node')}, ${counted(counts.routes, 'route')}\n`);
      return 0;
    }),
  );
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function shownConfiguration(configuration: Configuration) {
  const nodes = [...configuration.nodes].map(([name, { type, allow, connection }]) => {
    const { hosts, database, user, password, tls } = connection();
    const secret = password === undefined ? null : '***';
    const { key, ...certificates } = tls;
    return [
      name,
      { type, hosts, database, user, password: secret, tls: { ...certificates, ...(key && { key: '***' }) }, allow },
    ];
  });
  const routes = [...configuration.routes].map(([name, route]) => {
    const { from, to, load, forward, schemaChanges, apply, limits, allow, given, tables } = route;
    const exact = tables.exact.map((table) => {
      const mapped = tables.select(table.schema, table.name);
      return {
        name: `${table.schema}.${table.name}`,
        to: mapped === null ? null : `${mapped.target.schema}.${mapped.target.name}`,
        where: mapped?.where?.text ?? null,
        key: mapped?.key ?? null,
        included: mapped?.includedColumns ?? null,
        excluded: mapped?.excludedColumns ?? [],
        renamed: Object.fromEntries(mapped?.renamedColumns ?? []),
        transforms: mapped?.transforms.map((transform) => ({ name: transform.name, columns: transform.columns })) ?? [],
      };
    });
    const shown = {
      from: from.name,
      to: to.name,
      exactTables: exact,
      globs: tables.globs.map(({ text }) => text),
      load,
      forward,
      schemaChanges,
      apply,
      limits,
      allow,
    };
    return [name, { ...shown, ...given, fingerprint: configuration.fingerprint(name) }];
  });
  return {
    version: 1,
    file: configuration.file,
    name: configuration.name,
    nodes: Object.fromEntries(nodes) as object,
    routes: Object.fromEntries(routes) as object,
  };
}
