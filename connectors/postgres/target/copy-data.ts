/** A message of the protocol that holds a piece of what is copied. */
export type CopyData = Buffer & { readonly __brand: 'CopyData' };
