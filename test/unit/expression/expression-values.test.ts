import { describe, expect, test } from 'vitest';
import { functionExamples } from '../../../src/expression/documentation/examples.ts';
import { functionNames } from '../../../src/expression/function-names.ts';
import { functions } from '../../../src/expression/functions/functions.ts';
import { expressionCases } from '../../support/expression-cases.ts';
import { expressionValue } from '../../support/expression-value.ts';

describe.each(Object.entries(expressionCases))('%s', (_, cases) => {
  test.each(cases.map(([text, value]) => ({ text, value })))('$text is $value', ({ text, value }) => {
    expect(expressionValue(text)).toBe(value);
  });
});

test('every function and operator has an example in the documentation', () => {
  const operators = [...functions.keys()]
    .map((key) => key.slice(0, key.indexOf('(')))
    .filter((name) => !/^[a-z]/.test(name));
  const named = Object.values(functionExamples).flatMap((examples) => Object.keys(examples));
  expect(named.sort()).toEqual(
    [...new Set([...functionNames, ...operators])].filter((name) => name !== 'like_escape').sort(),
  );
});
