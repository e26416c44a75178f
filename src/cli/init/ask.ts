import type { CommandLine } from '../command-line.ts';
import { askNode } from './ask-node.ts';
import { askTables, askUnidentified } from './ask-tables.ts';
import type { Given } from './given.ts';
import type { LookedNode } from './look-at.ts';
import { isName } from './names.ts';
import type { Prompter } from './prompter.ts';
import type { InitRequest } from './request.ts';
import { demandTemplate, templates } from './templates.ts';
import { writtenNode } from './written-node.ts';

/** Asks for what was not given, looking at the nodes on the way: what is proposed is what is there. */
export async function ask(prompter: Prompter, line: CommandLine, given: Given): Promise<InitRequest> {
  prompter.begin('tidelock init');
  const template =
    given.template ??
    demandTemplate(
      await prompter.select(
        'How are the databases to be joined?',
        templates.map(({ name, summary }) => ({ value: name, label: name, hint: summary })),
      ),
    );
  const { tls } = given;
  const source = await askNode(prompter, line, { what: 'source', address: given.source, tls, taken: [] });
  const user = given.user ?? (await askUser(prompter, source));
  const targets: LookedNode[] = [];
  const asked = given.targets.length > 0 ? given.targets : [null];
  for (const address of asked) targets.push(await target(address));
  while (template.targets === 'several' && given.targets.length === 0) {
    if (!(await prompter.confirm('Another target?', targets.length < 2))) break;
    targets.push(await target(null));
  }
  const { survey } = source;
  if (survey === null) throw new RangeError('a source that was not looked at');
  const tables = given.tables.length > 0 ? given.tables : await askTables(prompter, survey);
  const exclude = [...given.exclude, ...(await askUnidentified(prompter, survey, { tables, exclude: given.exclude }))];
  const settings: Record<string, string> = { ...given.settings };
  for (const { name, question, standard, problem } of template.settings)
    settings[name] ??= await prompter.text(question, { initialValue: standard, problem });
  const deployment =
    given.deployment ??
    (await prompter.text('Name of the deployment (it prefixes slots and publications)', {
      initialValue: 'prod',
      problem: (value) => (isName(value) ? null : 'Small letters, digits and single hyphens, at most 30.'),
    }));
  return {
    template,
    deployment,
    source: writtenNode(source, user),
    targets: targets.map((node) => writtenNode(node, user)),
    tables,
    exclude,
    settings,
    user,
  };

  function target(address: string | null): Promise<LookedNode> {
    const taken = [source, ...targets].map(({ name }) => name);
    return askNode(prompter, line, { what: 'target', address, tls, taken });
  }
}

const standardUser = 'tidelock';

/** Whoever looks as a superuser should not let Tidelock run as one. */
async function askUser(prompter: Prompter, { survey }: LookedNode): Promise<string | null> {
  if (survey?.superuser !== true) return null;
  const own = await prompter.text(
    `${survey.user} is a superuser. Which user is Tidelock to run as? (enter: ${standardUser}, with the least rights; ${survey.user}: stay a superuser)`,
    { placeholder: standardUser },
  );
  if (own === survey.user) return null;
  return own === '' ? standardUser : own;
}
