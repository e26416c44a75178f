import { expect, test } from 'vitest';
import { EmptyingPlaces } from '../../connectors/sql/apply/emptying-places.ts';

class Places extends EmptyingPlaces<number> {
  go(source: string, place: number): void {
    this.reached(source, place);
  }

  at(source: string): number {
    return this.placeOf(source);
  }
}

test('a place counts once it is sent, for its own table, until another load of it begins', () => {
  const places = new Places(0);
  places.go('s.t', 7);
  expect(places.at('s.t')).toBe(0);
  places.sent();
  // What is sent without a step of its own moves nothing.
  places.sent();
  expect([places.at('s.t'), places.at('s.u')]).toEqual([7, 0]);
  places.forget('s.t');
  expect(places.at('s.t')).toBe(0);
});
