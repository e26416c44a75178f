import type { Mutation } from './mutations.ts';

const grants = { file: 'test/integration/cli/grants.test.ts', name: 'nothing of it is too much' };

/** Of the commands that set a deployment up: what they write, print and find. */
export const commandMutations: readonly Mutation[] = [
  {
    id: 'journal-at-a-node-that-is-down',
    promise: 8,
    what: 'forgetting a node ends at the journal of another one that is down',
    file: 'src/control/drop-left.ts',
    find: 'to.name !== name && !silent.has(to.name)',
    replace: 'to.name !== name',
    test: { file: 'test/integration/cli/drop-left.test.ts', name: 'a node that is gone is forgotten' },
  },
  {
    id: 'init-writes-a-password',
    promise: 10,
    what: 'writes an address into the configuration as it was given, with its password',
    file: 'src/cli/init/written-node.ts',
    find: 'if (user === null && (isReference || password === undefined))',
    replace: 'if (user === null)',
    test: { file: 'test/integration/cli/init.test.ts', name: 'no password gets into the file' },
  },
  {
    id: 'init-writes-over',
    promise: 8,
    what: 'writes over a configuration that is there',
    file: 'src/cli/init/write-file.ts',
    find: 'if (existsSync(file) && !force)',
    replace: "if (existsSync(file) && !force && file === '')",
    test: { file: 'test/integration/cli/init.test.ts', name: 'a file that is there stays as it is' },
  },
  {
    id: 'grants-too-much',
    promise: 10,
    what: 'grants the use of a schema that comes with the membership of an owner',
    file: 'connectors/postgres/node/grants.ts',
    find: '!come.some((has) => has.includes(privilege))',
    replace: 'come.length > 0',
    test: grants,
  },
  {
    id: 'grants-too-little',
    promise: 5,
    what: 'leaves the schemas of the tables out of what is granted',
    file: 'connectors/postgres/node/grants.ts',
    find: "const onSchema = create ? ['USAGE', 'CREATE'] : ['USAGE'];",
    replace: "const onSchema = create ? ['CREATE'] : [];",
    test: { ...grants, name: 'a role that has what is printed' },
  },
  {
    id: 'check-trusts-schemas',
    promise: 5,
    what: 'does not look whether the user may use the schemas that it is to load from',
    file: 'connectors/postgres/source/preflight/check-rights.ts',
    find: '...closed.map((schema) => ({',
    replace: '...closed.slice(0, 0).map((schema) => ({',
    test: grants,
  },
];
