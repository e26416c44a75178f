/** Types whose values of equal text are equal across the types, too. */
const families: readonly (readonly string[])[] = [
  ['int2', 'int4', 'int8', 'numeric', 'oid'].map((name) => `pg_catalog.${name}`),
  ['text', 'varchar', 'bpchar', 'name'].map((name) => `pg_catalog.${name}`),
];

/** Whether a foreign key's column of one type can be compared with the other's outside of the server. */
export function isAlike(child: string | undefined, parent: string | undefined): boolean {
  if (child === undefined || parent === undefined) return false;
  return child === parent || families.some((family) => family.includes(child) && family.includes(parent));
}
