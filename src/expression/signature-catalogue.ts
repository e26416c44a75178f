import { castLines, signatureLines, typeLines } from './signatures.ts';

export interface Signature {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly result: string;
  /** May depend on settings: the server does not compute it before the statement runs, nor is it computed here before a row is. */
  readonly isStable: boolean;
}

export type CastContext = 'implicit' | 'assignment' | 'explicit';

const bySignatureName = new Map<string, Signature[]>();
for (const line of linesOf(signatureLines)) {
  const [left = '', right = ''] = line.split(' > ');
  const [result = '', stable] = right.split(' ');
  const [name = '', ...types] = left.split(' ');
  const known = bySignatureName.get(name) ?? [];
  known.push({ name, arguments: types, result, isStable: stable !== undefined });
  bySignatureName.set(name, known);
}

const categories = new Map<string, { readonly category: string; readonly flags: readonly string[] }>();
for (const line of linesOf(typeLines)) {
  const [type = '', category = '', ...flags] = line.split(' ');
  categories.set(type, { category, flags });
}

const casts = new Map<string, { readonly context: CastContext; readonly isStable: boolean }>();
for (const line of linesOf(castLines)) {
  const [from, to, context, stable] = line.split(' ');
  casts.set(`${from} ${to}`, { context: context as CastContext, isStable: stable !== undefined });
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
  return hasFlag(type, 'preferred');
}

/** Of casts that are no way through text; null where there is none. */
export function castContext(from: string, to: string): CastContext | null {
  return casts.get(`${from} ${to}`)?.context ?? null;
}

function hasFlag(type: string, flag: string): boolean {
  return categories.get(type)?.flags.includes(flag) ?? false;
}

/** Of a cast, be it by a function or by way of text. */
export function isStableCast(from: string, to: string): boolean {
  const known = casts.get(`${from} ${to}`);
  return known?.isStable ?? (hasFlag(from, 'prints-stable') || hasFlag(to, 'reads-stable'));
}

/** Whether a value of one type stands where another is wanted, without being asked for. */
export function isImplicit(from: string, to: string): boolean {
  if (from === to || from === 'unknown' || to === 'anynonarray') return true;
  return castContext(from, to) === 'implicit';
}
