import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { reason } from './read-yaml.ts';
import { ReferenceProblem } from './references.ts';

/** PEM text: the value itself where it is that, else the content of the file that it names, from `folder` on. */
export function readPem(value: string, folder: string): string {
  if (value.includes('-----BEGIN ')) return value;
  let text: string;
  try {
    text = readFileSync(resolve(folder, value), 'utf8');
  } catch (error) {
    throw new ReferenceProblem(`the PEM file cannot be read: ${reason(error)}`);
  }
  if (!text.includes('-----BEGIN ')) throw new ReferenceProblem('the file is no PEM file');
  return text;
}
