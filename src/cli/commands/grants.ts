import { type Command, Option } from 'commander';
import { nodeFromAddress } from '../../config/node-from-address.ts';
import { nodeGrants } from '../../control/node-grants.ts';
import { placeOfNode, placeText } from '../../control/node-place.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { grantsText } from '../grants-text.ts';
import { openConfiguration } from '../open-configuration.ts';
import { terminalColumns, usesColours } from '../terminal.ts';

interface GrantOptions extends CommonOptions {
  readonly user?: string;
  readonly part?: 'source' | 'target';
  readonly through?: string;
  readonly missing?: boolean;
}

export function addGrants(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'grants <node>',
    summary: "the least SQL that a node's user needs for its part in all routes; runs none of it",
    example: 'tidelock grants sales --user tidelock --through \'${ADMIN_URL}\' | psql "$ADMIN_URL"',
  })
    .option('--user <name>', "the user that is to have it; else that of the node's connection")
    .addOption(
      new Option('--part <part>', 'only what one part of the node needs, for a user of its own').choices([
        'source',
        'target',
      ]),
    )
    .option('--through <url>', 'read the catalogue as somebody else, where the user is not there yet; may be a ${NAME}')
    .option('--missing', 'only what the user has not yet')
    .action(exits(line, (node: string, options: GrantOptions) => grants(line, node, options)));
}

async function grants(line: CommandLine, name: string, options: GrantOptions): Promise<number> {
  const configuration = openConfiguration(line, options);
  const node = configuration.nodes.demand(name, 'node');
  const { user, part, through, missing = false } = options;
  const document = await nodeGrants(configuration, name, {
    user,
    part,
    ...(through !== undefined && {
      through: nodeFromAddress(
        { name, type: node.type, url: through, from: '--through' },
        { env: line.env, cwd: line.cwd },
      ),
    }),
  });
  if (options.json) writeJson(line, document);
  else {
    const place = placeText(placeOfNode(node));
    line.out.write(
      grantsText(document, { place, onlyMissing: missing, colours: usesColours(line), columns: terminalColumns(line) }),
    );
  }
  return 0;
}
