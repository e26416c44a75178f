import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import type { CommandLine } from '../../src/cli/command-line.ts';
import { buildProgram } from '../../src/cli/tidelock.ts';
import { mutations } from '../mutations/mutations.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md'], { cwd: root }).sort();
const code = ['src/**/*.ts', 'src/**/*.tsx', 'connectors/**/*.ts', 'transforms/**/*.ts'];
const texts = [
  ...pages,
  ...globSync([...code, 'deploy/**/*.*'], { cwd: root, exclude: (name) => name.endsWith('.json') }),
];

const known = new Map<string, Set<string>>();

/** As GitHub names the headings of a page. */
function anchors(page: string): Set<string> {
  const found = known.get(page) ?? new Set<string>();
  if (known.has(page)) return found;
  known.set(page, found);
  for (const [, title = ''] of read(page).matchAll(/^#+ (.+)$/gm)) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let again = 1; found.has(name); again++) name = `${slug}-${again}`;
    found.add(name);
  }
  return found;
}

/** What a link leads to, from the folder of its page; null where there is nothing. */
function isDead(folder: string, link: string, page: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? page : relative(root, join(root, folder, path));
  if (!existsSync(join(root, file))) return true;
  return anchor !== undefined && !anchors(file).has(anchor);
}

test.each(pages)('links of %s lead somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const own = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(own.filter((link) => isDead(dirname(page), link, page))).toEqual([]);
});

test('pages that code, errors and deployments name are there, with the heading that is named', () => {
  const dead: string[] = [];
  for (const file of texts)
    for (const [link] of read(file).matchAll(/\bdocs\/[a-z/-]+\.md(#[\w-]+)?/g))
      if (isDead('', link, file)) dead.push(`${file}: ${link}`);
  expect(dead).toEqual([]);
});

test('every command that is named anywhere can be given like that', async () => {
  const line = { env: {}, cwd: '/', out: process.stdout, err: process.stderr } as unknown as CommandLine;
  const program = await buildProgram(line);
  const wrong: string[] = [];
  for (const file of texts)
    for (const given of commandsIn(read(file)))
      for (const why of misuse(program, given)) wrong.push(`${file}: tidelock ${given}: ${why}`);
  expect(wrong).toEqual([]);
});

/** In quotes, or a line of an example, up to what the shell would do next. Spans and sessions are named alike. */
function commandsIn(text: string): string[] {
  // Line by line, of those that name one: over whole files the pattern takes seconds.
  const lines = text.split('\n').filter((row) => row.includes('tidelock '));
  const plain = lines.join('\n').replaceAll(/\$\{[^}]*\}/g, '');
  const named = plain.matchAll(/(?:["'`>]|^ {4,}|^\$ |run -s |npx )tidelock (?:-- )?([a-z][^"'`<\n]*)/gm);
  const given = [...named].map(([, words = '']) => words.split(/ [#|>&]|\s{2,}|\)/)[0]?.trim() ?? '');
  return given.filter((words) => !['group', 'load', 'queues'].includes(words));
}

function misuse(program: Command, given: string): string[] {
  const [name = '', ...words] = given.split(/\s+/);
  // Several in one: `start|stop|pause`.
  return name.split('|').flatMap((one) => {
    const of = (holder: Command, called: string): Command | undefined =>
      holder.commands.find((command) => command.name() === called);
    const outer = of(program, one);
    if (outer === undefined) return ['no such command'];
    const inner = outer.commands.length === 0 ? outer : of(outer, words[0] ?? '');
    if (inner === undefined) return words[0] === undefined || /^[[.]/.test(words[0]) ? [] : [`no "${words[0]}" in it`];
    const known = inner.options.flatMap(({ long, short }) => [long, short]);
    return words
      .filter((word) => /^\[?--?[a-z]/.test(word))
      .map((word) => word.replace(/^\[/, '').replace(/[^a-z-]+.*$/, ''))
      .filter((option) => !known.includes(option) && !['-h', '--help'].includes(option))
      .map((option) => `no option ${option}`);
  });
}

test('each promise of docs/architecture.md names tests that are there, and the test of each of its mutations', () => {
  const [, text = ''] = read('docs/architecture.md').split('## Promises and the tests that show them');
  const parts = text.split(/^- \*\*(?=\d)/m).slice(1);
  expect(parts.map((part) => Number.parseInt(part, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const [at, part] of parts.entries()) {
    const names = [...(part.split('\n\n')[0] ?? '').matchAll(/`(\w+\/[\w/-]+)`/g)].map(([, name = '']) => name);
    const files = names.map((name) =>
      globSync([`test/${name}.test.ts`, `test/${name}.property.test.ts`, `test/${name}/**/*.test.ts`], { cwd: root }),
    );
    expect(names.filter((_, index) => files[index]?.length === 0)).toEqual([]);
    const broken = mutations.filter(({ promise }) => promise === at + 1);
    expect(broken.filter(({ test: { file } }) => !files.flat().includes(file))).toEqual([]);
  }
});
