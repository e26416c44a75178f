import type pg from 'pg';

/**
 * Values as the server writes them, and as the change queue tells them: the driver makes numbers and dates of some, and a
 * cast to text is another text (`true`, `10.0.0.1/32`), or a user's.
 */
export const asWritten: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text };
