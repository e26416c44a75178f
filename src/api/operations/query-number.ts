import { z } from 'zod';

export interface QueryNumber {
  readonly least: number;
  readonly most: number;
  readonly otherwise: number;
}

/** A whole number in a query, which is text. */
export function queryNumber({ least, most, otherwise }: QueryNumber) {
  return z.coerce.number().int().min(least).max(most).default(otherwise);
}
