import { expect } from 'vitest';

/** What a demo that ends equal has told without a terminal. */
export function expectToldInText(output: string): void {
  expect(output).toMatch(/worker \d+ killed/);
  expect(output).toMatch(/recovered after [\d.]+ m?s/);
  expect(output).toMatch(/schema --apply before": tables of the empty target, \d+ statements/);
  expect(output).toMatch(/schema --apply after": indexes and foreign keys, \d+ statements/);
  expect(output).toMatch(/loaded anew beside the stream in/);
  expect(output).toMatch(/compare" while the clients write: all [\d,]+ rows are equal/);
  expect(output).toContain(
    '"tidelock compare": equal while the clients wrote, equal at the end, as the plain comparer says',
  );
  expect(output).toMatch(/^EQUAL:/m);
  expect(output).not.toContain('\x1b');
}
