import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { CommandLine } from '../command-line.ts';
import type { Given } from './given.ts';
import { type LookedNode, lookAt } from './look-at.ts';
import type { InitRequest } from './request.ts';
import { schemaGlobs } from './table-names.ts';
import { templates } from './templates.ts';
import { writtenNode } from './written-node.ts';

/** Everything from options: for scripts, and where there is no terminal. */
export async function withoutQuestions(given: Given, line: CommandLine, offline: boolean): Promise<InitRequest> {
  const { source: address, tls, user } = given;
  const missing = [address === null ? '--source' : '', given.targets.length === 0 ? '--target' : ''].filter(Boolean);
  if (address === null || missing.length > 0)
    throw fail(configErrors.arguments, { why: `"tidelock init" without questions wants ${missing.join(' and ')}` });
  const [template] = given.template === null ? templates : [given.template];
  if (template === undefined) throw new RangeError('there is no template');
  if (template.targets === 'one' && given.targets.length > 1)
    throw fail(configErrors.arguments, { why: `the template ${template.name} has one target; fan-out has several` });
  const source = await lookAt({ address, from: '--source', name: null, tls, taken: [], offline }, line);
  const targets: LookedNode[] = [];
  for (const of of given.targets) {
    const taken = [source, ...targets].map(({ name }) => name);
    targets.push(await lookAt({ address: of, from: '--target', name: null, tls, taken, offline }, line));
  }
  const proposed = source.survey === null ? [] : schemaGlobs(source.survey).map(({ glob }) => glob);
  const tables = given.tables.length > 0 ? given.tables : proposed;
  if (tables.length === 0)
    throw fail(configErrors.arguments, { why: 'the source has no tables to propose: name them with --tables' });
  return {
    template,
    deployment: given.deployment ?? 'prod',
    source: writtenNode(source, user),
    targets: targets.map((node) => writtenNode(node, user)),
    tables,
    exclude: given.exclude,
    settings: Object.fromEntries(
      template.settings.map(({ name, standard }) => [name, given.settings[name] ?? standard]),
    ),
    user,
  };
}
