/** For a commander option: may be given several times. */
export const keepRowsOption = [
  '--keep-rows <table>',
  'leave the rows of this source table at the target as they are: only what comes later is mapped anew',
  (table: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), table],
] as const;
