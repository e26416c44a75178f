import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { reason } from './read-yaml.ts';
import { ReferenceProblem } from './references.ts';

/** PEM text: the value itself where it is that, else the content of the file that it names, from `file`'s folder. */
export function readPem(value: string, file: string): string {
  if (value.includes('-----BEGIN ')) return value;
  let text: string;
  try {
    text = readFileSync(resolve(dirname(file), value), 'utf8');
  } catch (error) {
    throw new ReferenceProblem(`the PEM file cannot be read: ${reason(error)}`);
  }
  if (!text.includes('-----BEGIN ')) throw new ReferenceProblem('the file is no PEM file');
  return text;
}
