import { expect, test } from 'vitest';
import { shownCounter } from '../../connectors/mysql/catalogue/read-counters.ts';
import { canonicalTexts } from '../../connectors/mysql/compare/canonical-text.ts';
import { parseType } from '../../connectors/mysql/target/column-kind.ts';

test('a year has no text that other vendors hash, whose year 0000 is a 0, and numbers beside it do', () => {
  expect(canonicalTexts(parseType('year'))).toEqual([]);
  expect(canonicalTexts(parseType('smallint'))).toEqual(['number']);
});

test('the next value of a table is read in front of its comment', () => {
  const columns =
    "CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT COMMENT ') AUTO_INCREMENT=5',\n  PRIMARY KEY (`id`)";
  const comment = "DEFAULT CHARSET=utf8mb4 COMMENT='was AUTO_INCREMENT=900 once'";
  expect(shownCounter(`${columns}\n) ENGINE=InnoDB AUTO_INCREMENT=12 ${comment}`)).toBe('12');
  expect(shownCounter(`${columns}\n) ENGINE=InnoDB ${comment}`)).toBe('1');
  expect(shownCounter(`${columns}\n) ENGINE=InnoDB AUTO_INCREMENT=12`)).toBe('12');
});
