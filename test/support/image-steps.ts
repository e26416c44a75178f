import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ImageStep {
  readonly instruction: string;
  /** As written, or the words of the exec form. */
  readonly text: string;
  readonly words: readonly string[] | null;
}

export interface ImageStage {
  readonly name: string;
  readonly steps: readonly ImageStep[];
}

/** The stages of a Dockerfile. Of the language only what ours uses: another instruction is an error where it is carried out. */
export function readImageSteps(file: string): ImageStage[] {
  const stages: { name: string; steps: ImageStep[] }[] = [];
  const lines = readFileSync(file, 'utf8').replaceAll(/\\\n\s*/g, '');
  for (const line of lines.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, instruction = '', text = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') stages.push({ name: / AS (\S+)$/.exec(text)?.[1] ?? '', steps: [] });
    else stages.at(-1)?.steps.push({ instruction, text, words: text.startsWith('[') ? JSON.parse(text) : null });
  }
  return stages;
}

/** The words of an instruction that stands once in the last stage, in exec form: ENTRYPOINT, CMD. */
export function execForm(stages: readonly ImageStage[], instruction: string): readonly string[] {
  const step = stages.at(-1)?.steps.find((other) => other.instruction === instruction);
  if (step === undefined) throw new Error(`no ${instruction}`);
  return step.words ?? JSON.parse(/\[.*\]$/.exec(step.text)?.[0] ?? '[]');
}

export interface BuildOptions {
  readonly context: string;
  readonly ignoreFile: string;
  /** Each stage gets a folder in it, which stands for the root of its file system. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What `docker build` does, by plain commands, each stage in a folder of its own. Returns that of the last one. */
export function buildPlainly(stages: readonly ImageStage[], options: BuildOptions): string {
  const roots = new Map<string, string>();
  let root = '';
  for (const [place, { name, steps }] of stages.entries()) {
    root = join(options.folder, `stage-${place}`);
    mkdirSync(root, { recursive: true });
    roots.set(name, root);
    let directory = '/';
    for (const step of steps) {
      if (step.instruction === 'WORKDIR') {
        directory = step.text;
        mkdirSync(join(root, directory), { recursive: true });
      } else if (step.instruction === 'COPY') copy(step, { root, directory, roots, options });
      else if (step.instruction === 'RUN') run(step, { root, directory, env: options.env });
      else if (!['ENV', 'USER', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'].includes(step.instruction))
        throw new Error(`${step.instruction} is not rehearsed`);
    }
  }
  return root;
}

interface CopyPlace {
  readonly root: string;
  readonly directory: string;
  readonly roots: ReadonlyMap<string, string>;
  readonly options: BuildOptions;
}

function copy({ text }: ImageStep, { root, directory, roots, options }: CopyPlace): void {
  const words = text.split(/\s+/);
  const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
  const sources = words.slice(from === undefined ? 0 : 1, -1);
  const to = words.at(-1) ?? '';
  const base = from === undefined ? options.context : (roots.get(from) ?? '');
  const destination = to.startsWith('/') ? join(root, to) : join(root, directory, to);
  for (const source of sources) {
    const path = join(base, source);
    if (from === undefined && source === '.') copyContext(options, destination);
    else if (statSync(path).isDirectory()) cpSync(path, destination, { recursive: true, verbatimSymlinks: true });
    else cpSync(path, to.endsWith('/') ? join(destination, source.split('/').at(-1) ?? '') : destination);
  }
}

/** Everything is ignored but what the file takes back in, as ours is written; of that, what it ignores again. */
function copyContext({ context, ignoreFile }: BuildOptions, destination: string): void {
  const lines = readFileSync(ignoreFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines[0] !== '**') throw new Error('the ignore file has to begin with **');
  const kept = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const again = lines.slice(1).filter((line) => !line.startsWith('!'));
  for (const name of globSync(kept, { cwd: context }))
    cpSync(join(context, name), join(destination, name), {
      recursive: true,
      filter: (source) => !again.some((pattern) => source.endsWith(pattern.replace('**', ''))),
    });
}

function run(
  { text, words }: ImageStep,
  { root, directory, env }: { readonly root: string; readonly directory: string; readonly env: NodeJS.ProcessEnv },
): void {
  if (words?.[0] === 'ln') {
    const [target = '', link = ''] = words.slice(2);
    mkdirSync(dirname(join(root, link)), { recursive: true });
    symlinkSync(join(root, target), join(root, link));
    return;
  }
  const [command = '', ...args] = words ?? ['sh', '-c', text];
  const { status, stderr } = spawnSync(command, args, { cwd: join(root, directory), env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${text} ended with ${status}: ${stderr.slice(-2_000)}`);
}
