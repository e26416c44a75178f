import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReferenceProblem, resolveText } from '../../src/config/references.ts';
import { parseDuration, parseSize } from '../../src/config/units.ts';
import { TidelockError } from '../../src/core/errors/tidelock-error.ts';
import { nearestName } from '../../src/core/nearest-name.ts';
import { parseTablePattern } from '../../src/core/table-pattern.ts';
import { ConfigurationFiles, withRoute } from '../support/configuration-files.ts';

describe('table patterns', () => {
  /** Matching by the definition: a star takes nothing, or one character and stays. */
  function matches(pattern: readonly string[], text: readonly string[]): boolean {
    const [head, ...rest] = pattern;
    if (head === undefined) return text.length === 0;
    if (head === '*') return matches(rest, text) || (text.length > 0 && matches(pattern, text.slice(1)));
    return text.length > 0 && (head === '?' || head === text[0]) && matches(rest, text.slice(1));
  }
  const character = fc.constantFrom('a', 'b', '.', '"', '\\', 'A', '$', '😀', '-', '(', '\n');
  const token = fc.oneof(character, fc.constantFrom('*', '?'));
  const part = fc.array(token, { minLength: 1, maxLength: 6 });
  const name = fc.array(fc.oneof(character, fc.constantFrom('*', '?')), { minLength: 1, maxLength: 8 });

  test('match as the model does, each part for itself', () => {
    fc.assert(
      fc.property(part, part, name, name, (schemaPattern, namePattern, schema, table) => {
        const written = [schemaPattern, namePattern].map(writePart).join('.');
        const pattern = parseTablePattern(written);
        expect(pattern.matches(schema.join(''), table.join(''))).toBe(
          matches(schemaPattern, schema) && matches(namePattern, table),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('a name written in quotes is exact and matches itself alone', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (schema, table) => {
        const written = [schema, table].map((text) => `"${text.replaceAll('"', '""')}"`).join('.');
        const pattern = parseTablePattern(written);
        expect(pattern.exact).toEqual({ schema, name: table });
        expect(pattern.matches(schema, `${table}x`)).toBe(false);
      }),
    );
  });

  /** Adjacent quoted pieces would read as an escaped quote: they are joined. */
  function writePart(tokens: readonly string[]): string {
    let written = '';
    let literal = '';
    const flush = (): void => {
      if (literal !== '') written += `"${literal.replaceAll('"', '""')}"`;
      literal = '';
    };
    for (const each of tokens) {
      if (each === '*' || each === '?') {
        flush();
        written += each;
      } else {
        literal += each;
      }
    }
    flush();
    return written;
  }
});

test('durations and sizes are their number times their unit, or refused', () => {
  const durations = { ms: 1n, s: 1000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n };
  const sizes = {
    B: 1n,
    kB: 1000n,
    MB: 10n ** 6n,
    GB: 10n ** 9n,
    TB: 10n ** 12n,
    KiB: 2n ** 10n,
    MiB: 2n ** 20n,
    GiB: 2n ** 30n,
    TiB: 2n ** 40n,
  };
  const number = fc.integer({ min: 0, max: 999_999_999_999 });
  const check = (parse: (text: string) => number | null, units: Record<string, bigint>): void =>
    fc.assert(
      fc.property(number, fc.constantFrom(...Object.keys(units)), (count, unit) => {
        const exact = BigInt(count) * (units[unit] ?? 0n);
        const parsed = parse(`${count}${unit}`);
        if (exact > BigInt(Number.MAX_SAFE_INTEGER)) expect(parsed).toBeNull();
        else expect(parsed).toBe(Number(exact));
      }),
    );
  check(parseDuration, durations);
  check(parseSize, sizes);
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (!/^\d{1,12}(ms|s|m|h|d)$/.test(text)) expect(parseDuration(text)).toBeNull();
    }),
  );
});

describe('references', () => {
  const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/);
  const literal = fc.string().filter((text) => !text.includes('$'));
  const segment = fc.oneof(
    literal.map((text) => ({ written: text, resolve: () => text as string | null })),
    fc.constant({ written: '$${', resolve: () => '${' as string | null }),
    variable.map((name) => ({ written: `\${${name}}`, resolve: (env: Record<string, string>) => env[name] ?? null })),
    fc
      .tuple(
        variable,
        literal.filter((text) => !text.includes('}')),
      )
      .map(([name, fallback]) => ({
        written: `\${${name}:-${fallback}}`,
        resolve: (env: Record<string, string>): string | null => env[name] || fallback,
      })),
  );

  test('resolve piece by piece, and what comes out is not looked at again', () => {
    fc.assert(
      fc.property(
        fc.array(segment, { maxLength: 6 }),
        fc.dictionary(variable, fc.oneof(fc.string(), fc.constant('${A}')), { noNullPrototype: true }),
        (segments, env) => {
          const written = segments.map((piece) => piece.written).join('');
          const pieces = segments.map((piece) => piece.resolve(env));
          const resolve = (): string => resolveText(written, { env, cwd: '/' }, 'x.yaml');
          if (pieces.includes(null)) expect(resolve).toThrow(ReferenceProblem);
          else expect(resolve()).toBe(pieces.join(''));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a file of any content ends in a configuration or a TidelockError', () => {
  function loads(files: ConfigurationFiles, text: string): void {
    try {
      const configuration = files.load(text);
      for (const name of configuration.routes.keys()) configuration.routes.get(name);
      for (const node of configuration.nodes.values()) node.connection();
      void [configuration.service, configuration.notify, configuration.name];
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      expect(error.code).toMatch(/^TL-10/);
    }
  }

  test('random text', () => {
    using files = new ConfigurationFiles();
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'{}[]&*!|>-:,?#\'"%@`<~$ \n\tab01') })),
        (text) => {
          loads(files, text);
        },
      ),
      { numRuns: 500 },
    );
  });

  const key = fc.oneof(
    fc.constantFrom(
      'version',
      'name',
      'nodes',
      'routes',
      'defaults',
      'service',
      'notify',
      'include',
      'type',
      'url',
      'tls',
      'tables',
      'columns',
      'transforms',
      'mask',
      'x-y',
      '__proto__',
      'constructor',
      'toString',
      'from',
      'to',
      'apply',
      'allow',
      'hosts',
    ),
    fc.string(),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(1, 'postgres', 'a', '${X}', '${', 'public.*', null, true, '10s'),
      fc.string(),
      fc.double(),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(key, tie('any'), { maxKeys: 6 }),
    ),
  })).any;

  test('random values under known and unknown keys', () => {
    using files = new ConfigurationFiles();
    fc.assert(
      fc.property(value, (data) => loads(files, JSON.stringify(data) ?? '')),
      { numRuns: 500 },
    );
  });

  test('a valid file with one piece replaced', () => {
    using files = new ConfigurationFiles();
    const text = withRoute(
      'tables: [public.t, { name: "public.a*", columns: { exclude: [x], rename: { y: z } } }]\nlimits: { lag: { warn: 1s } }',
    );
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(10), fc.string({ maxLength: 5 }), (at, length, piece) => {
        loads(files, text.slice(0, at) + piece + text.slice(at + length));
      }),
      { numRuns: 500 },
    );
  });
});

test('a name with one edit is found again among names that differ more', () => {
  const valid = ['tables', 'exclude', 'newTables', 'schemaChanges', 'forward', 'collisions', 'publication'];
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.nat(), fc.constantFrom('x', 'q', ''), (name, at, piece) => {
      const index = at % name.length;
      expect(nearestName(name.slice(0, index) + piece + name.slice(index + 1), valid)).toBe(name);
    }),
  );
});
