/**
 * SQL: of each type that the tables of the CTE `wanted` have, what it is under all its domains (`oid`, `base`), and the
 * modifier that counts: that of the outermost domain which has one.
 */
export const baseTypes = `
  select t.oid, b.oid as base, b.modifier from pg_type t
  cross join lateral (
    with recursive d(oid, typtype, typbasetype, modifier) as (
      select t.oid, t.typtype, t.typbasetype, t.typtypmod
      union all select x.oid, x.typtype, x.typbasetype, case d.modifier when -1 then x.typtypmod else d.modifier end
        from d join pg_type x on x.oid = d.typbasetype where d.typtype = 'd'
    ) select oid, modifier from d where typtype <> 'd' limit 1
  ) b
  where t.oid in (select atttypid from pg_attribute where attrelid in (select oid from wanted) and attnum > 0 and not attisdropped)`;
