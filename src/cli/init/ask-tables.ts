import type { NodeSurvey } from '../../core/node-inspector.ts';
import { sizeText } from '../../core/quantity-text.ts';
import type { Prompter } from './prompter.ts';
import { carriedTables, schemaGlobs, writtenName } from './table-names.ts';

/** Whole schemas as globs, single tables by name. */
export async function askTables(prompter: Prompter, survey: NodeSurvey): Promise<readonly string[]> {
  if (survey.tables.length === 0) {
    prompter.warn('The source has no table that could be carried yet. Name those that will be there.');
    const names = await prompter.text('Tables, separated by blanks', { initialValue: 'public.*' });
    return names.split(/[\s,]+/);
  }
  const schemas = schemaGlobs(survey).map(({ schema, glob }) => {
    const here = survey.tables.filter((table) => table.schema === schema);
    const bytes = here.reduce((sum, table) => sum + table.bytes, 0);
    return { schema, choice: { value: glob, label: glob, hint: `${here.length} tables, ${sizeText(bytes)}` } };
  });
  const chosen = await prompter.several(
    'Which tables? (space marks, enter goes on)',
    [...schemas.map(({ choice }) => choice), { value: '', label: 'single tables', hint: 'chosen next' }],
    { initialValues: schemas.length === 1 ? schemas.map(({ choice }) => choice.value) : [], required: true },
  );
  const globs = chosen.filter((glob) => glob !== '');
  if (globs.length === chosen.length) return globs;
  const whole = new Set(schemas.filter(({ choice }) => globs.includes(choice.value)).map(({ schema }) => schema));
  const single = await prompter.several(
    'Single tables',
    survey.tables
      .filter(({ schema }) => !whole.has(schema))
      .map((table) => ({
        value: writtenName(table),
        label: writtenName(table),
        hint: `about ${table.rows.toLocaleString('en')} rows, ${sizeText(table.bytes)}`,
      })),
    { initialValues: [], required: globs.length === 0 },
  );
  return [...globs, ...single];
}

/** Tables that nothing identifies: updates and deletes of them fail at the source once they are published. Those to leave out. */
export async function askUnidentified(
  prompter: Prompter,
  survey: NodeSurvey,
  { tables, exclude }: { readonly tables: readonly string[]; readonly exclude: readonly string[] },
): Promise<readonly string[]> {
  const found = carriedTables(survey, tables, exclude).filter(({ identity }) => identity === 'nothing');
  if (found.length === 0) return [];
  prompter.warn(
    'No key tells the rows of some tables apart.\nThe statements that mend it are printed at the end; the route starts once they are run.',
  );
  const names = found.map(writtenName);
  const kept = await prompter.several(
    'Which of them are to be replicated? The others are excluded.',
    found.map((table) => ({
      value: writtenName(table),
      label: writtenName(table),
      hint:
        table.proposedKey === null
          ? 'no unique index: the whole old row is to be logged'
          : `unique index over ${table.proposedKey.columns.join(', ')}`,
    })),
    { initialValues: names, required: false },
  );
  return names.filter((name) => !kept.includes(name));
}
