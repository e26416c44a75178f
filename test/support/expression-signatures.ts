import type { TestDatabase } from './postgres.ts';

const operators = '+ - * / % || = <> < <= > >= ~~ !~~ ~~* !~~* -> ->>'.split(' ');
const functions = (
  'abs ascii bit_length btrim ceil ceiling char_length character_length chr convert_from convert_to date_part ' +
  'date_trunc decode div encode extract floor initcap left length like_escape lower lpad ltrim md5 mod octet_length ' +
  'overlay position repeat replace reverse right round rpad rtrim sha224 sha256 sha384 sha512 sign split_part ' +
  'starts_with strpos substr substring to_hex translate trim_scale trunc upper'
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
       SELECT oprname AS name, ARRAY_REMOVE(ARRAY[oprleft, oprright], 0::oid) AS arguments, oprresult AS result
         FROM pg_operator WHERE oprname = ANY($1) AND oprnamespace = 'pg_catalog'::regnamespace
       UNION ALL SELECT proname, proargtypes::oid[], prorettype
         FROM pg_proc WHERE proname = ANY($2) AND pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0),
     line AS (
       SELECT name, (SELECT string_agg(k.typname, ' ' ORDER BY i) FROM unnest(arguments) WITH ORDINALITY a(o, i) JOIN known k ON k.oid = o) AS arguments,
         k.typname AS result, arguments AS oids
       FROM signature s LEFT JOIN known k ON k.oid = s.result
       WHERE NOT EXISTS (SELECT FROM unnest(arguments) o WHERE o NOT IN (SELECT oid FROM known))),
     used AS (SELECT unnest(oids) AS oid FROM line UNION SELECT 'varchar'::regtype)
     SELECT 1 AS part, name || ' ' || arguments || ' > ' || coalesce(result, '-') AS text FROM line
     UNION ALL SELECT 2, typname || ' ' || typcategory::text || CASE WHEN typispreferred THEN ' preferred' ELSE '' END
       FROM pg_type JOIN used USING (oid)
     UNION ALL SELECT 3, s.typname || ' ' || t.typname || CASE castcontext WHEN 'i' THEN ' implicit' WHEN 'a' THEN ' assignment' ELSE ' explicit' END
       FROM pg_cast JOIN pg_type s ON s.oid = castsource JOIN pg_type t ON t.oid = casttarget
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

/** Every function and operator of the names that the language has, also those that it refuses: \`name arguments > result\`. */
export const signatureLines = \`
${part(1)}\`;

/** \`type category\`, and whether the type is preferred within it. */
export const typeLines = \`
${part(2)}\`;

/** \`from to context\`: the casts that are not made by way of text. */
export const castLines = \`
${part(3)}\`;
`;
}
