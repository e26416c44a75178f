import type { TestDatabase } from './postgres.ts';

const operators = '+ - * / % || = <> < <= > >= ~~ !~~ ~~* !~~* ~ !~ ~* !~* -> ->> ?'.split(' ');
const functions = (
  'abs ascii bit_length btrim ceil ceiling char_length character_length chr convert_from convert_to date_part ' +
  'date_trunc decode div encode extract floor initcap left length like_escape lower lpad ltrim md5 mod octet_length ' +
  'overlay position regexp_replace repeat replace reverse right round rpad rtrim sha224 sha256 sha384 sha512 sign split_part ' +
  'starts_with strpos substr substring timezone to_char to_hex to_timestamp translate trim_scale trunc upper'
).split(' ');

/**
 * src/expression/signatures.ts as the server's own catalogue gives it: what is there decides which function an
 * expression means, also of those that the module refuses.
 */
export async function signaturesModule(db: TestDatabase): Promise<string> {
  const plain = "t.typtype = 'b' AND t.typelem = 0";
  const rows = await db.query(
    `WITH known AS (SELECT oid, typname FROM pg_type t WHERE ${plain} AND typnamespace = 'pg_catalog'::regnamespace
       UNION ALL SELECT oid, typname FROM pg_type WHERE typname IN ('name', 'anynonarray')),
     signature AS (
       SELECT oprname AS name, ARRAY_REMOVE(ARRAY[oprleft, oprright], 0::oid) AS arguments, oprresult AS result, provolatile AS volatility
         FROM pg_operator JOIN pg_proc p ON p.oid = oprcode WHERE oprname = ANY($1) AND oprnamespace = 'pg_catalog'::regnamespace
       UNION ALL SELECT proname, proargtypes::oid[], prorettype, provolatile
         FROM pg_proc WHERE proname = ANY($2) AND pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0),
     line AS (
       SELECT name, (SELECT string_agg(k.typname, ' ' ORDER BY i) FROM unnest(arguments) WITH ORDINALITY a(o, i) JOIN known k ON k.oid = o) AS arguments,
         k.typname AS result, arguments AS oids, volatility
       FROM signature s LEFT JOIN known k ON k.oid = s.result
       WHERE NOT EXISTS (SELECT FROM unnest(arguments) o WHERE o NOT IN (SELECT oid FROM known))),
     used AS (SELECT unnest(oids) AS oid FROM line UNION SELECT 'varchar'::regtype)
     SELECT 1 AS part, name || ' ' || arguments || ' > ' || coalesce(result, '-') || CASE volatility WHEN 'i' THEN '' ELSE ' stable' END AS text FROM line
     UNION ALL SELECT 2, typname || ' ' || typcategory::text || CASE WHEN typispreferred THEN ' preferred' ELSE '' END
       || CASE i.provolatile WHEN 'i' THEN '' ELSE ' reads-stable' END || CASE o.provolatile WHEN 'i' THEN '' ELSE ' prints-stable' END
       FROM pg_type t JOIN used USING (oid) JOIN pg_proc i ON i.oid = typinput JOIN pg_proc o ON o.oid = typoutput
     UNION ALL SELECT 3, s.typname || ' ' || t.typname || CASE castcontext WHEN 'i' THEN ' implicit' WHEN 'a' THEN ' assignment' ELSE ' explicit' END || CASE WHEN f.provolatile <> 'i' THEN ' stable' ELSE '' END
       FROM pg_cast LEFT JOIN pg_proc f ON f.oid = castfunc JOIN pg_type s ON s.oid = castsource JOIN pg_type t ON t.oid = casttarget
       WHERE castsource IN (SELECT oid FROM used) AND casttarget IN (SELECT oid FROM used) AND castsource <> casttarget
     ORDER BY 1, 2`,
    [operators, functions],
  );
  const part = (number: number): string =>
    rows
      .filter((row) => row.part === number)
      .map((row) => `${row.text}\n`)
      .join('');
  return `// Written from the catalogue of PostgreSQL ${db.server.version} by test/integration/expression/signatures.test.ts (vitest -u).

/**
 * Every function and operator of the names that the language has, also those that it refuses: \`name arguments > result\`.
 * What is stable may depend on settings, and is therefore not computed by the server before a statement runs.
 */
export const signatureLines = \`
${part(1)}\`;

/** \`type category\`, whether the type is preferred within it, and whether reading and printing it are stable. */
export const typeLines = \`
${part(2)}\`;

/** \`from to context\`, and whether they are stable: the casts that are not made by way of text. */
export const castLines = \`
${part(3)}\`;
`;
}
