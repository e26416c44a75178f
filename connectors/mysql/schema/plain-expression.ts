/** A token, or what stands between two parentheses. `call`: they are a function's, or a list's. */
type Item = string | { readonly call: boolean; readonly inside: readonly Item[] };

const tokens =
  /'((?:[^'\\]|''|\\[\s\S])*)'|`(?:[^`]|``)*`(?:\s*\.\s*`(?:[^`]|``)*`)*|[\p{L}\p{N}_$.]+|<=>|<>|!=|<=|>=|<<|>>|\|\||&&|->>|->|[^\s]/gu;

/** How tightly an operator holds what is beside it. What is in none of these lists is not known, and keeps its parentheses. */
const holds: ReadonlyMap<string, number> = new Map(
  [
    [',', 'case', 'when', 'then', 'else', 'end'],
    ['or'],
    ['xor'],
    ['and'],
    ['not'],
    ['=', '<=>', '<>', '!=', '<', '<=', '>', '>=', 'is'],
    ['like', 'in', 'between'],
    ['|'],
    ['&'],
    ['<<', '>>'],
    ['+', '-'],
    ['*', '/', '%', 'div', 'mod'],
    ['^'],
  ].flatMap((words, strength) => words.map((word) => [word, strength] as const)),
);
/** Of a sign in front of its operand. */
const sign = 13;
/** Of `in` and its like, the `not` in front of them and the `and` of `between`. They are not chained. */
const predicate = 6;
const unknown = Number.NaN;
const tightest = Number.POSITIVE_INFINITY;

/**
 * What a server has written of an expression, so that two that say the same become equal as far as that shows: MySQL puts each operation between parentheses,
 * MariaDB only those that need them. Parentheses are left out where the operators around them would group alike without; `a - (b - c)` keeps its.
 */
export function plainExpression(text: string): string {
  const found = [...text.matchAll(tokens)].map(([token, inside]) =>
    // Its first character tells what it is: a column may have the name of an operator.
    inside === undefined ? token.toLowerCase().replaceAll(/(?<!^)`/g, '') : `'${inside.replaceAll("\\'", "''")}`,
  );
  const reader = { at: 0, found };
  return written(bare(read(reader)));
}

function read(reader: { at: number; readonly found: readonly string[] }): Item[] {
  const items: Item[] = [];
  while (reader.at < reader.found.length) {
    const token = reader.found[reader.at++] ?? '';
    if (token === ')') break;
    if (token !== '(') {
      items.push(token);
      continue;
    }
    const before = items.at(-1);
    const isName = typeof before === 'string' && /^[\p{L}_]/u.test(before) && !holds.has(before);
    const inside = read(reader);
    // `now()` is what others write as `now`.
    if (!isName || inside.length > 0) items.push({ call: isName || before === 'in', inside });
  }
  return items;
}

/** Without the parentheses that change nothing. */
function bare(items: readonly Item[]): Item[] {
  const inner = items.map((item) => (typeof item === 'string' ? item : { ...item, inside: bare(item.inside) }));
  const strengths = strengthsOf(inner);
  return inner.flatMap((item, at): Item[] => {
    if (typeof item === 'string' || item.call) return [item];
    const own = weakest(strengthsOf(item.inside));
    const left = at === 0 ? -1 : (strengths[at - 1] ?? unknown);
    const right = at === inner.length - 1 ? -1 : (strengths[at + 1] ?? unknown);
    // From the left on is how the server groups what is equally strong; of `and` and `or` any order is the same.
    const isFree =
      (own > left || (own === left && (own === 1 || own === 3))) &&
      (own > right || (own === right && own !== predicate));
    return isFree ? [...item.inside] : [item];
  });
}

/** Of each operator; of an operand the tightest there is. Of a word that is not known between two others nothing is known. */
function strengthsOf(items: readonly Item[]): number[] {
  let awaitsAnd = false;
  const found: number[] = [];
  for (const [at, item] of items.entries()) {
    const before = found[at - 1];
    const isAfterOperand = before === tightest;
    if (typeof item !== 'string') found.push(item.call || !isAfterOperand ? tightest : unknown);
    else if (holds.has(item)) {
      const isBetweens: boolean = item === 'and' && awaitsAnd;
      awaitsAnd = item === 'between' || (awaitsAnd && !isBetweens);
      const isSign = (item === '-' || item === '+') && !isAfterOperand;
      const isPredicates = isBetweens || (item === 'not' && isAfterOperand);
      found.push(isSign ? sign : isPredicates ? predicate : (holds.get(item) ?? unknown));
    } else if (/^['`\p{L}\p{N}_$.]/u.test(item))
      found.push(isAfterOperand && !item.startsWith("'") ? unknown : tightest);
    else found.push(unknown);
  }
  return found;
}

/** NaN where one of them is not known: nothing is larger, or smaller, than that. */
function weakest(strengths: readonly number[]): number {
  return Math.min(tightest, ...strengths);
}

function written(items: readonly Item[]): string {
  const words = items.map((item) =>
    typeof item === 'string' ? item.replace(/^['`]/, '') : `(${written(item.inside)})`,
  );
  return words.join('\u0001');
}
