import { castLines, signatureLines, typeLines } from './signatures.ts';

export interface Signature {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly result: string;
}

export type CastContext = 'implicit' | 'assignment' | 'explicit';

const bySignatureName = new Map<string, Signature[]>();
for (const line of linesOf(signatureLines)) {
  const [left = '', result = ''] = line.split(' > ');
  const [name = '', ...types] = left.split(' ');
  const known = bySignatureName.get(name) ?? [];
  known.push({ name, arguments: types, result });
  bySignatureName.set(name, known);
}

const categories = new Map<string, { readonly category: string; readonly isPreferred: boolean }>();
for (const line of linesOf(typeLines)) {
  const [type = '', category = '', preferred] = line.split(' ');
  categories.set(type, { category, isPreferred: preferred !== undefined });
}

const casts = new Map<string, CastContext>();
for (const line of linesOf(castLines)) {
  const [from, to, context] = line.split(' ');
  casts.set(`${from} ${to}`, context as CastContext);
}

function linesOf(text: string): string[] {
  return text.trim().split('\n');
}

/** What the server has under the name, whatever of it the language has. */
export function signaturesOf(name: string): readonly Signature[] {
  return bySignatureName.get(name) ?? [];
}

/** `unknown` and types that are only passed on have a category of their own. */
export function categoryOf(type: string): string {
  return categories.get(type)?.category ?? (type === 'anynonarray' ? 'P' : type);
}

export function isPreferred(type: string): boolean {
  return categories.get(type)?.isPreferred ?? false;
}

/** Of casts that are no way through text; null where there is none. */
export function castContext(from: string, to: string): CastContext | null {
  return casts.get(`${from} ${to}`) ?? null;
}

/** Whether a value of one type stands where another is wanted, without being asked for. */
export function isImplicit(from: string, to: string): boolean {
  if (from === to || from === 'unknown' || to === 'anynonarray') return true;
  return castContext(from, to) === 'implicit';
}
