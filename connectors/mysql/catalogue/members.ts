import type { ColumnType } from '../target/column-kind.ts';

/** The one value of an enum or a set whose text is that of another value. */
export interface UnlikeItsText {
  /** Whether a column has it, in SQL. */
  readonly is: string;
  /** A text for it that no other value has: longer than any member, so that every server refuses to write it. */
  readonly text: string;
}

/**
 * Where the empty text is a member, two values show as one: of an enum the 0 that a session which is not strict stores in place of what is no member, of a set
 * the one of only that member, beside the one of none. A text gives back the other of the two. Null of other columns.
 */
export function unlikeItsText(column: string, { base, members }: ColumnType): UnlikeItsText | null {
  const empty = emptyMember(members);
  if ((base !== 'enum' && base !== 'set') || empty < 0) return null;
  const value = base === 'enum' ? 0n : 1n << BigInt(empty);
  return { is: `${column} + 0 = ${value}`, text: 'x'.repeat(Math.max(...members.map(({ length }) => length))) };
}

/** Its place, or -1. `members` as the type's name has them, in quotes. */
function emptyMember(members: readonly string[]): number {
  return members.indexOf("''");
}

/** Two members that are the same to a server, which only one that is not strict has let in, are one when they are written: the first. */
export function tellsMembers({ members, collation }: Pick<ColumnType, 'members' | 'collation'>): boolean {
  const folds = collation === null || /_ci$/.test(collation);
  return new Set(folds ? members.map((member) => member.toLowerCase()) : members).size === members.length;
}

/** Why a set is not carried. */
export const emptyMemberAlone = 'it is a set of the empty member alone, whose text is that of no member';
