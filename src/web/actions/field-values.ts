import { parseDuration } from '../format/times.ts';
import type { ActionField } from './action.ts';

/** As they were typed. */
export interface FieldValues {
  readonly reason: string;
  readonly duration: string;
  readonly withEarlier: boolean;
  readonly newName: string;
  readonly position: string;
}

export const emptyFields: FieldValues = { reason: '', duration: '', withEarlier: false, newName: '', position: '' };

const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Why a field can't be sent like that; null where it can. */
export function faultOf(field: ActionField, values: FieldValues): string | null {
  if (field === 'duration' && values.duration.trim() !== '' && parseDuration(values.duration) === null)
    return 'A number and a unit: s, m, h or d.';
  const name = values.newName.trim();
  if (field === 'newName' && name !== '' && (!namePattern.test(name) || name.length > 30))
    return 'Small letters, digits and single hyphens, at most 30.';
  return null;
}

/** What the fields add to the body of the request. */
export function bodyOf(fields: readonly ActionField[], values: FieldValues): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const durationMs = parseDuration(values.duration);
  const position = values.position.trim();
  if (fields.includes('duration') && durationMs !== null) body.forMs = durationMs;
  if (fields.includes('withEarlier') && values.withEarlier) body.withEarlier = true;
  if (fields.includes('newName')) body.name = values.newName.trim();
  if (fields.includes('position')) body.adopt = position === '' ? true : position;
  return body;
}
