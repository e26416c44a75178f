import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { mask } from '../../transforms/mask.ts';
import { ConfigurationFiles, caught, withRoute } from '../support/configuration-files.ts';

const text = { name: 'email', type: 'pg_catalog.text' };
const hmac = (length = 32) => mask({ columns: ['email'], method: 'hmac', key: () => 'k', length });

describe('mask', () => {
  test('hmac is HMAC-SHA-256 in lower-case hexadecimal, cut to its length', () => {
    const full = createHmac('sha256', 'k').update('Zoë', 'utf8').digest('hex');
    expect(hmac().compile(text)('Zoë')).toBe(full.slice(0, 32));
    expect(hmac(64).compile(text)('Zoë')).toBe(full);
  });

  test('hmac counts as injective from 32 digits on; redact and null never do', () => {
    expect([hmac(32).injective, hmac(31).injective]).toEqual([true, false]);
    expect(mask({ columns: ['a'], method: 'redact', with: '*' }).injective).toBe(false);
    expect(mask({ columns: ['a'], method: 'null' }).injective).toBe(false);
  });

  test('the blanks that pad a char(n) count for nothing', () => {
    const padded = hmac().compile({ ...text, type: 'pg_catalog.bpchar' });
    expect(padded('ab   ')).toBe(padded('ab'));
    const varying = hmac().compile({ ...text, type: 'pg_catalog.varchar' });
    expect(varying('ab ')).not.toBe(varying('ab'));
  });

  test('NULL stays NULL', () => {
    expect(hmac().compile(text)(null)).toBeNull();
    expect(mask({ columns: ['a'], method: 'redact', with: '*' }).compile(text)(null)).toBeNull();
  });

  test('redact is a fixed text, null is nothing', () => {
    expect(mask({ columns: ['a'], method: 'redact', with: '*' }).compile(text)('secret')).toBe('*');
    expect(mask({ columns: ['a'], method: 'null' }).compile({ ...text, type: 'pg_catalog.int4' })('5')).toBeNull();
  });

  test.each(['pg_catalog.int4', 'pg_catalog.json', 'public.citext', 'pg_catalog.uuid'])(
    '%s cannot hold a text',
    (type) => {
      expect(caught(() => hmac().compile({ name: 'a', type })).code).toBe('TL-1009');
      expect(
        caught(() => mask({ columns: ['a'], method: 'redact', with: '*' }).compile({ name: 'a', type })).code,
      ).toBe('TL-1009');
    },
  );

  test('its key is a reference that is resolved when the transform is bound', () => {
    using files = new ConfigurationFiles();
    const keys =
      'tables: [{ name: public.t, transforms: [{ mask: { columns: [email], method: hmac, key: "${K}" } }] }]';
    const bind = (env: Record<string, string>) =>
      files
        .load(withRoute(keys), env)
        .routes.demand('r', 'route')
        .tables.select('public', 't')
        ?.transforms[0]?.compile(text);
    expect(bind({ K: 'k' })?.('a')).toBe(hmac().compile(text)('a'));
    expect(caught(() => bind({})).code).toBe('TL-1005');
    expect(caught(() => bind({ K: '' })).code).toBe('TL-1005');
  });
});
