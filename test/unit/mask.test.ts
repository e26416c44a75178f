import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Cell } from '../../src/core/cell.ts';
import type { ConfiguredTransform } from '../../src/core/table-mapping.ts';
import { fakeKinds } from '../../transforms/mask/fake-value.ts';
import { mask } from '../../transforms/mask.ts';
import { ConfigurationFiles, caught, withRoute } from '../support/configuration-files.ts';

const text = { name: 'a', type: 'pg_catalog.text', modifier: -1, key: false };
const hmac = (length = 32) => mask({ columns: ['a'], method: 'hmac', key: () => 'k', length });

/** The rule of a transform of one column `a`. */
function rule(transform: ConfiguredTransform | undefined, column = text) {
  const bound = transform?.bind({ route: 'r', table: 't', columns: [column], key: [], indexOf: () => 0 });
  const [only] = bound?.kind === 'cells' ? bound.rules : [];
  if (only === undefined) throw new Error('no rule');
  return { injective: only.injective, of: (value: Cell) => only.compute([value]) };
}

const redact = mask({ columns: ['a'], method: 'redact', with: '*' });
const nothing = mask({ columns: ['a'], method: 'null' });

describe('mask', () => {
  test('hmac is HMAC-SHA-256 in lower-case hexadecimal, cut to its length', () => {
    const full = createHmac('sha256', 'k').update('Zoë', 'utf8').digest('hex');
    expect(rule(hmac()).of('Zoë')).toBe(full.slice(0, 32));
    expect(rule(hmac(64)).of('Zoë')).toBe(full);
  });

  test('hmac counts as injective from 32 digits on; redact and null never do', () => {
    expect([rule(hmac(32)).injective, rule(hmac(31)).injective]).toEqual([true, false]);
    expect(rule(redact).injective).toBe(false);
    expect(rule(nothing).injective).toBe(false);
  });

  test('the blanks that pad a char(n) count for nothing', () => {
    const padded = rule(hmac(), { ...text, type: 'pg_catalog.bpchar' }).of;
    expect(padded('ab   ')).toBe(padded('ab'));
    const varying = rule(hmac(), { ...text, type: 'pg_catalog.varchar' }).of;
    expect(varying('ab ')).not.toBe(varying('ab'));
  });

  test('NULL stays NULL', () => {
    expect(rule(hmac()).of(null)).toBeNull();
    expect(rule(redact).of(null)).toBeNull();
  });

  test('redact is a fixed text, null is nothing', () => {
    expect(rule(redact).of('secret')).toBe('*');
    expect(rule(nothing, { ...text, type: 'pg_catalog.int4' }).of('5')).toBeNull();
  });

  test.each(['pg_catalog.int4', 'pg_catalog.json', 'public.citext', 'pg_catalog.uuid'])(
    '%s cannot hold a text',
    (type) => {
      for (const transform of [hmac(), redact])
        expect(caught(() => rule(transform, { ...text, type })).code).toBe('TL-1009');
    },
  );

  test('its key is a reference that is resolved when the transform is bound', () => {
    using files = new ConfigurationFiles();
    const keys = 'tables: [{ name: public.t, transforms: [{ mask: { columns: [a], method: hmac, key: "${K}" } }] }]';
    const bind = (env: Record<string, string>) =>
      rule(files.load(withRoute(keys), env).routes.demand('r', 'route').tables.select('public', 't')?.transforms[0]);
    expect(bind({ K: 'k' }).of('a')).toBe(rule(hmac()).of('a'));
    expect(caught(() => bind({})).code).toBe('TL-1005');
    expect(caught(() => bind({ K: '' })).code).toBe('TL-1005');
  });

  test('partial leaves what it is told to, and nothing of a text that has no more', () => {
    const partial = mask({ columns: ['a'], method: 'partial', keepStart: 1, keepEnd: 2, with: '*' });
    expect(['4111222233', 'ab', 'abc', 'äbcd', ''].map((value) => rule(partial).of(value))).toEqual([
      '4*******33',
      '**',
      '***',
      'ä*cd',
      '',
    ]);
  });

  test('form keeps digits, letters and their case, and the same text stays the same', () => {
    const form = rule(mask({ columns: ['a'], method: 'form', key: () => 'k' })).of;
    const other = rule(mask({ columns: ['a'], method: 'form', key: () => 'other' })).of;
    expect(form('AB-12 cdé.Z')).toMatch(/^[A-Z]{2}-[0-9]{2} [a-z]{3}\.[A-Z]$/);
    expect(form('4111 1111 1111 1111')).toBe(form('4111 1111 1111 1111'));
    expect(form('4111 1111 1111 1111')).not.toBe(form('4111 1111 1111 1112'));
    expect(form('4111 1111 1111 1111')).not.toBe(other('4111 1111 1111 1111'));
  });

  test('fake data is the same for the same value and key, and fits the column', async () => {
    for (const kind of fakeKinds) {
      const fake = mask({ columns: ['a'], method: 'fake', kind, key: () => 'k' });
      await fake.prepare?.();
      expect(rule(fake).of('Zoë')).toBe(rule(fake).of('Zoë'));
      expect(new Set(['a', 'b', 'c', 'd', 'e', 'f'].map((value) => rule(fake).of(value))).size).toBeGreaterThan(1);
      const short = { ...text, type: 'pg_catalog.varchar', modifier: 8 };
      expect(String(rule(fake, short).of('Zoë')).length).toBeLessThanOrEqual(4);
    }
  });
});
