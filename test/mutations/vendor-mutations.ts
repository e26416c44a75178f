import type { Mutation } from './mutations.ts';

const carry = 'test/unit/carry.test.ts';
const there = 'test/property/vendors.property.test.ts';
const routes = 'test/integration/vendors/routes.test.ts';

/** Of what is carried between vendors. */
export const vendorMutations: readonly Mutation[] = [
  {
    id: 'digits-lost-between-vendors',
    promise: 5,
    what: 'sends digits to a column that rounds them away',
    file: 'src/core/types/carry-number.ts',
    find: 'digitsOf(value).scale > digits.scale',
    replace: 'digitsOf(value).scale > digits.scale + 9',
    test: { file: carry, name: 'digits that have no place' },
  },
  {
    id: 'converted-unasked',
    promise: 5,
    what: 'makes NULL of what it can not carry although nobody has named that',
    file: 'src/core/types/carrying.ts',
    find: 'return setting === undefined ? undefined : () => null;',
    replace: 'return setting === undefined ? () => null : () => null;',
    test: { file: carry, name: 'a zero date' },
  },
  {
    id: 'keys-converted',
    promise: 5,
    what: 'converts values of a key, so that two rows may become one',
    file: 'src/pipeline/bridge/bridge-table.ts',
    find: "if (carrying.kind === 'refused' || isKey) {",
    replace: "if (carrying.kind === 'refused') {",
    test: { file: routes, name: 'is found before the route starts' },
  },
  {
    id: 'refused-value-overtakes',
    promise: 2,
    what: 'halts at a value that can not be carried before what came in front of it is applied',
    file: 'src/pipeline/bridge/bridge.ts',
    find: 'unmapped ??= { code, message, remedy, place };',
    replace: 'if (code !== undefined) throw error;\n        unmapped ??= { code, message, remedy, place };',
    test: { file: 'test/unit/bridge.test.ts', name: 'halts in its turn' },
  },
  {
    id: 'float-of-64-bits',
    promise: 5,
    what: 'writes a float as the double of its shortest text',
    file: 'connectors/mysql/target/value-literal.ts',
    find: 'doubleText(Math.fround(Number(cell)))',
    replace: 'cell',
    test: { file: there, name: 'float4 goes to float' },
  },
  {
    id: 'coarser-key-loaded',
    promise: 5,
    what: 'loads a table beside the stream although its key may take one row for another at the target',
    file: 'src/pipeline/bridge/bridge-table.ts',
    find: 'if (column.key && (isFolding(has.type) || target.folds === true)) coarser',
    replace: "if (column.key && isFolding(has.type) && column.name === '') coarser",
    test: { file: 'test/unit/bridge.test.ts', name: 'is coarser at the target' },
  },
  {
    id: 'number-for-a-condition',
    promise: 5,
    what: 'takes a number for true or false, which it is to one of the two only',
    file: 'src/pipeline/bridge/bridge-expressions.ts',
    find: "if (had?.type.kind !== 'boolean') return null;",
    replace: 'if (had === undefined) return null;',
    test: { file: 'test/unit/bridge-schema.test.ts', name: 'numbers that count' },
  },
  {
    id: 'another-key-at-the-source',
    promise: 2,
    what: 'looks a row up at the source by its key as the target writes it',
    file: 'src/pipeline/bridge/bridge-keys.ts',
    find: "const back = carried(key, 'back');",
    replace: 'const back = key;',
    test: { file: 'test/unit/bridge-keys.test.ts', name: 'and back' },
  },
  {
    id: 'unequal-hashes-between-vendors',
    promise: 2,
    what: 'hashes long values in another way than the other vendor',
    file: 'connectors/postgres/compare/canonical-text.ts',
    find: 'const longOctets = 256;',
    replace: 'const longOctets = 4;',
    test: { file: there, name: 'text goes to longtext' },
  },
];
