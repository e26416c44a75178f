import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Expression } from '../../core/expression.ts';
import type { TableName } from '../../core/table.ts';
import { parseTablePattern } from '../../core/table-pattern.ts';
import { configuredExpression } from '../configured-expression.ts';
import { at, type Located, type Path, placeOf } from '../located.ts';
import { Problems } from '../problem.ts';
import { type ReferenceSource, resolveTree } from '../references.ts';

export interface TransformContextOptions {
  readonly file: string;
  /** The transform's own tree, with references still in its secrets. */
  readonly tree: Located;
  readonly path: Path;
  readonly references: ReferenceSource;
  readonly problems: Problems;
}

/** What a transform's builder needs of the configuration around it. */
export class TransformContext {
  readonly #options: TransformContextOptions;

  constructor(options: TransformContextOptions) {
    this.#options = options;
  }

  complain(path: Path, message: string): null {
    const { tree, path: base, problems } = this.#options;
    problems.add({ kind: 'invalid', place: placeOf(tree, path), path: [...base, ...path], message });
    return null;
  }

  /** The schema has parsed it before: no problem is left but types and columns, which come with the table. */
  expression(text: string): Expression {
    return configuredExpression(text);
  }

  expressions(texts: Readonly<Record<string, string>>): ReadonlyMap<string, Expression> {
    return new Map(Object.entries(texts).map(([name, text]) => [name, this.expression(text)]));
  }

  /** The table that a text names; the schema has checked it. */
  table(text: string): TableName {
    return parseTablePattern(text).exact ?? { schema: '', name: text };
  }

  /** Absolute path of a file that is named relative to the configuration's own. */
  fileOf(name: string): string {
    const { references, file } = this.#options;
    return resolve(references.cwd, dirname(file), name);
  }

  /** A file's bytes; null and a problem where it can't be read. `asItIs`: on the disk, whatever was kept of it. */
  readFile(path: Path, name: string, asItIs = false): Buffer | null {
    const { references } = this.#options;
    const file = this.fileOf(name);
    try {
      return asItIs ? readFileSync(file) : (references.files?.read(file) ?? readFileSync(file));
    } catch (error) {
      return this.complain(path, `the file can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    }
  }

  /** A secret, resolved when the transform is bound to a table. */
  secret(path: Path): () => string {
    const { file, tree, path: base, references } = this.#options;
    return () => {
      const problems = new Problems(file);
      const written = at(tree, path) ?? tree;
      const secretPath = [...base, ...path];
      const resolved = resolveTree(written, secretPath, { source: references, problems });
      const value = resolved.kind === 'scalar' && typeof resolved.value === 'string' ? resolved.value : '';
      if (problems.empty && value === '')
        problems.add({ kind: 'reference', place: written.place, path: secretPath, message: 'is empty' });
      problems.throwIfAny();
      return value;
    };
  }
}
