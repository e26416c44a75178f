import type { A_Const, A_Expr, FuncCall, Node, parseSync } from 'libpg-query';
import { didYouMean } from '../core/nearest-name.ts';
import { castType } from './cast-type.ts';
import { functionNames, nondeterministic } from './function-names.ts';
import { theParser } from './parser.ts';
import { ExpressionProblem } from './problem.ts';
import type { Case, Choice, Element, Literal, Quantified, Syntax, WrittenArray } from './syntax.ts';

/** What stands before the expression: a place of the grammar where one expression stands, without a name or a list. */
const prefix = 'SELECT WHERE ';
const maxLength = 10_000;
const maxDepth = 200;

/** Reads the text of one expression; what is outside of the language is refused with its place. */
export function parseSql(text: string): Syntax {
  if (text.length > maxLength)
    throw new ExpressionProblem(`an expression has at most ${maxLength} characters`, maxLength);
  const foreign = text.search(/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
  if (foreign >= 0) throw new ExpressionProblem('a character that SQL has not', foreign);
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Syntax {
    const { stmts = [] } = this.#parse();
    const first = stmts[0];
    const statement = first?.stmt;
    if (stmts.length !== 1 || first?.stmt_len !== undefined || statement === undefined || !('SelectStmt' in statement))
      throw new ExpressionProblem('one expression is wanted, without ";"', this.#text.indexOf(';'));
    const { whereClause, limitOption, op, ...rest } = statement.SelectStmt;
    if (whereClause === undefined || op !== 'SETOP_NONE' || limitOption !== 'LIMIT_OPTION_DEFAULT')
      throw new ExpressionProblem('one expression is wanted, not a query', 0);
    if (Object.keys(rest).length > 0)
      throw new ExpressionProblem('one expression is wanted, without further clauses of a query', 0);
    return this.#syntax(whereClause);
  }

  #parse(): ReturnType<typeof parseSync> {
    const { parse, SqlError } = theParser();
    try {
      return parse(prefix + this.#text);
    } catch (error) {
      if (error instanceof SqlError) {
        const at = (error.sqlDetails?.cursorPosition ?? prefix.length) - prefix.length;
        throw new ExpressionProblem(error.message, Math.min(Math.max(at, 0), this.#text.length));
      }
      // Deep nesting ends the stack before the grammar's own limit is met.
      if (error instanceof RangeError) throw this.#tooDeep();
      throw error;
    }
  }

  #tooDeep(): ExpressionProblem {
    return new ExpressionProblem(`an expression is nested at most ${maxDepth} deep`, 0);
  }

  /** The tree counts bytes, the problem counts UTF-16 units. */
  #offset(location: number | undefined): number {
    const bytes = (location ?? 0) - prefix.length;
    if (bytes <= 0) return 0;
    return Buffer.from(this.#text, 'utf8').subarray(0, bytes).toString('utf8').length;
  }

  #syntax(node: Node | undefined): Syntax {
    if (node === undefined) throw new ExpressionProblem('an expression is missing', 0);
    if (++this.#depth > maxDepth) throw this.#tooDeep();
    const syntax = this.#read(node);
    this.#depth--;
    return syntax;
  }

  #all(nodes: readonly Node[] | undefined): Syntax[] {
    return (nodes ?? []).map((node) => this.#syntax(node));
  }

  #read(node: Node): Syntax {
    if ('A_Const' in node) return this.#literal(node.A_Const);
    if ('ColumnRef' in node) return this.#column(node.ColumnRef.fields ?? [], this.#offset(node.ColumnRef.location));
    if ('A_Expr' in node) return this.#operator(node.A_Expr);
    if ('A_ArrayExpr' in node && (node.A_ArrayExpr.elements?.length ?? 0) > 0)
      return this.#written(node, this.#offset(node.A_ArrayExpr.location));
    if ('A_Indirection' in node) return this.#element(node);
    if ('FuncCall' in node) return this.#call(node.FuncCall);
    if ('TypeCast' in node) {
      const { arg, typeName, location } = node.TypeCast;
      const offset = this.#offset(location !== undefined && location >= 0 ? location : typeName?.location);
      const isText = arg !== undefined && 'A_Const' in arg && arg.A_Const.sval !== undefined;
      if (isText && typeName?.arrayBounds !== undefined) return this.#written(node, offset);
      return { kind: 'cast', operand: this.#syntax(arg), ...castType(typeName, offset), offset };
    }
    if ('BoolExpr' in node) {
      const { boolop, args, location } = node.BoolExpr;
      const kind = boolop === 'AND_EXPR' ? 'and' : boolop === 'OR_EXPR' ? 'or' : 'not';
      return { kind, operands: this.#all(args), offset: this.#offset(location) };
    }
    if ('NullTest' in node) {
      const { arg, nulltesttype, location } = node.NullTest;
      const negated = nulltesttype === 'IS_NOT_NULL';
      return { kind: 'test', test: 'null', negated, operand: this.#syntax(arg), offset: this.#offset(location) };
    }
    if ('BooleanTest' in node) {
      const { arg, booltesttype = '', location } = node.BooleanTest;
      const test = booltesttype.endsWith('TRUE') ? 'true' : booltesttype.endsWith('FALSE') ? 'false' : 'unknown';
      const negated = booltesttype.startsWith('IS_NOT');
      return { kind: 'test', test, negated, operand: this.#syntax(arg), offset: this.#offset(location) };
    }
    if ('CaseExpr' in node) return this.#case(node.CaseExpr);
    if ('CoalesceExpr' in node) return this.#choice('coalesce', node.CoalesceExpr.args, node.CoalesceExpr.location);
    if ('MinMaxExpr' in node) {
      const { op, args, location } = node.MinMaxExpr;
      return this.#choice(op === 'IS_LEAST' ? 'least' : 'greatest', args, location);
    }
    throw this.#refusal(node);
  }

  #refusal(node: Node): ExpressionProblem {
    const kind = Object.keys(node)[0] ?? '';
    const inner = Object.values(node)[0] as { readonly location?: number };
    const offset = this.#offset(inner?.location);
    if (kind === 'SQLValueFunction')
      return new ExpressionProblem(
        'the current time and user are refused: the same change must always give the same value',
        offset,
      );
    return new ExpressionProblem(`${refused[kind] ?? 'this form'} is not in the language`, offset);
  }

  #written(node: Node, offset: number): WrittenArray {
    const array = this.#array(node, offset);
    if (array.kind === 'column') throw this.#refusal(node);
    return { kind: 'array', array, offset };
  }

  #element(node: Extract<Node, { A_Indirection: unknown }>): Element {
    const { arg, indirection = [] } = node.A_Indirection;
    const operand = this.#syntax(arg);
    const { offset } = operand;
    const steps = indirection.map((step) => {
      if (!('A_Indices' in step)) throw new ExpressionProblem('a field ("(a).b") is not in the language', offset);
      const { lidx, uidx, is_slice: isSlice = false } = step.A_Indices;
      return { isSlice, lower: lidx && this.#syntax(lidx), upper: uidx && this.#syntax(uidx) };
    });
    if (!steps.some(({ isSlice }) => isSlice))
      return { kind: 'element', operand, subscripts: steps.flatMap(({ upper }) => upper ?? []), bounds: null, offset };
    // Beside a slice one number alone means all up to it.
    const first = (): Syntax => ({ kind: 'literal', type: 'int4', text: '1', offset });
    const subscripts: Syntax[] = [];
    const place = (bound: Syntax | undefined): number | null =>
      bound === undefined ? null : subscripts.push(bound) - 1;
    const bounds = steps.map(({ isSlice, lower, upper }) => ({
      lower: place(isSlice ? lower : first()),
      upper: place(upper),
    }));
    return { kind: 'element', operand, subscripts, bounds, offset };
  }

  #choice(kind: Choice['kind'], args: readonly Node[] | undefined, location: number | undefined): Choice {
    return { kind, negated: false, operands: this.#all(args), offset: this.#offset(location) };
  }

  #case(node: Extract<Node, { CaseExpr: unknown }>['CaseExpr']): Case {
    const branches = (node.args ?? []).map((branch) => {
      if (!('CaseWhen' in branch)) throw this.#refusal(branch);
      return { when: this.#syntax(branch.CaseWhen.expr), result: this.#syntax(branch.CaseWhen.result) };
    });
    return {
      kind: 'case',
      operand: node.arg === undefined ? null : this.#syntax(node.arg),
      branches,
      otherwise: node.defresult === undefined ? null : this.#syntax(node.defresult),
      offset: this.#offset(node.location),
    };
  }

  #literal(node: A_Const): Literal {
    const offset = this.#offset(node.location);
    if (node.isnull === true) return { kind: 'literal', type: 'unknown', text: null, offset };
    if (node.sval !== undefined) return { kind: 'literal', type: 'unknown', text: node.sval.sval ?? '', offset };
    if (node.boolval !== undefined)
      return { kind: 'literal', type: 'bool', text: node.boolval.boolval === true ? 'true' : 'false', offset };
    if (node.ival !== undefined) return { kind: 'literal', type: 'int4', text: String(node.ival.ival ?? 0), offset };
    if (node.fval !== undefined) return number(node.fval.fval ?? '', offset);
    throw new ExpressionProblem('bit strings are not in the language', offset);
  }

  #column(fields: readonly Node[], offset: number): Syntax {
    const [field] = fields;
    if (fields.length !== 1 || field === undefined || !('String' in field))
      throw new ExpressionProblem('columns are named without their table: only the row of the change is there', offset);
    return { kind: 'column', name: field.String.sval ?? '', offset };
  }

  #operator(node: A_Expr): Syntax {
    const offset = this.#offset(node.location);
    const name = nameOf(node.name);
    if (name !== null && insteadOf[name] !== undefined)
      throw new ExpressionProblem(`operator ${name} is not in the language: ${insteadOf[name]}`, offset);
    if (name === null) throw new ExpressionProblem('operators of other schemas are not in the language', offset);
    const call = (sign: string, ...operands: readonly Syntax[]): Syntax => ({
      kind: 'call',
      name: sign,
      isOperator: true,
      arguments: operands,
      offset,
    });
    const left = (): Syntax => this.#syntax(node.lexpr);
    switch (node.kind) {
      case 'AEXPR_OP':
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return node.lexpr === undefined
          ? call(name, this.#syntax(node.rexpr))
          : call(name, left(), this.#syntax(node.rexpr));
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT':
        return {
          kind: 'distinct',
          negated: node.kind === 'AEXPR_NOT_DISTINCT',
          operands: [left(), this.#syntax(node.rexpr)],
          offset,
        };
      case 'AEXPR_NULLIF':
        return { kind: 'nullif', negated: false, operands: [left(), this.#syntax(node.rexpr)], offset };
      case 'AEXPR_IN':
        return { kind: 'in', negated: name === '<>', operand: left(), items: this.#list(node.rexpr), offset };
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN': {
        const [low, high] = this.#list(node.rexpr);
        if (low === undefined || high === undefined) throw new ExpressionProblem('BETWEEN wants two bounds', offset);
        const operand = left();
        return node.kind === 'AEXPR_BETWEEN'
          ? { kind: 'and', operands: [call('>=', operand, low), call('<=', operand, high)], offset }
          : { kind: 'or', operands: [call('<', operand, low), call('>', operand, high)], offset };
      }
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL': {
        const isAll = node.kind === 'AEXPR_OP_ALL';
        return {
          kind: 'quantified',
          operator: name,
          isAll,
          operand: left(),
          array: this.#array(node.rexpr, offset),
          offset,
        };
      }
      default:
        throw new ExpressionProblem(
          `${refusedOperators[node.kind ?? ''] ?? 'this operator'} is not in the language`,
          offset,
        );
    }
  }

  /** What ANY and ALL look through. */
  #array(node: Node | undefined, offset: number): Quantified['array'] {
    if (node !== undefined && 'A_ArrayExpr' in node && (node.A_ArrayExpr.elements?.length ?? 0) > 0)
      return {
        kind: 'items',
        items: this.#all(node.A_ArrayExpr.elements),
        offset: this.#offset(node.A_ArrayExpr.location),
      };
    const [inner, typeName] =
      node !== undefined && 'TypeCast' in node ? [node.TypeCast.arg, node.TypeCast.typeName] : [node, undefined];
    const value = inner === undefined ? null : this.#syntax(inner);
    if (value?.kind === 'column' && typeName === undefined) return value;
    if (value?.kind === 'literal' && value.type === 'unknown' && value.text !== null) {
      const { arrayBounds, ...element } = typeName ?? { arrayBounds: undefined };
      if (typeName === undefined) return { kind: 'literal', text: value.text, type: null, offset: value.offset };
      const { type, modifier } = castType(element, value.offset);
      if (arrayBounds?.length === 1 && modifier === -1)
        return { kind: 'literal', text: value.text, type, offset: value.offset };
    }
    throw new ExpressionProblem("ANY and ALL take a column, ARRAY[...] or '{...}'", offset);
  }

  #list(node: Node | undefined): Syntax[] {
    if (node === undefined || !('List' in node)) throw new ExpressionProblem('a list in brackets is wanted', 0);
    return this.#all(node.List.items);
  }

  #call(node: FuncCall): Syntax {
    const offset = this.#offset(node.location);
    const { funcname, args, location: _, funcformat: __, ...rest } = node;
    const name = nameOf(funcname);
    if (name === null) throw new ExpressionProblem('functions of other schemas are not in the language', offset);
    if (Object.keys(rest).length > 0)
      throw new ExpressionProblem('aggregates, windows and VARIADIC are not in the language', offset);
    if (nondeterministic.has(name))
      throw new ExpressionProblem(
        `${name}() is refused: the same change must always give the same value, after a restart and in a compare, too`,
        offset,
      );
    const instead = insteadOf[name];
    if (instead !== undefined) throw new ExpressionProblem(`${name}() is not in the language: ${instead}`, offset);
    if (!functionNames.has(name))
      throw new ExpressionProblem(`no function ${name}${didYouMean(name, functionNames)}`, offset);
    return { kind: 'call', name, isOperator: false, arguments: this.#all(args), offset };
  }
}

function number(written: string, offset: number): Literal {
  const text = written.replaceAll('_', '');
  const integer = /^-?(\d+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(text);
  if (!integer) return { kind: 'literal', type: 'numeric', text, offset };
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  const fits = (bits: bigint): boolean => value >= -(2n ** (bits - 1n)) && value < 2n ** (bits - 1n);
  return { kind: 'literal', type: fits(32n) ? 'int4' : fits(64n) ? 'int8' : 'numeric', text: String(value), offset };
}

/** Without `pg_catalog.`; null for another schema. */
function nameOf(names: readonly Node[] | undefined): string | null {
  const parts = (names ?? []).map((name) => ('String' in name ? (name.String.sval ?? '') : ''));
  if (parts.length === 2 && parts[0] === 'pg_catalog') return parts[1] ?? null;
  return parts.length === 1 ? (parts[0] ?? null) : null;
}

/** What is often asked for and can't be computed here exactly as at every server. */
const insteadOf: Readonly<Record<string, string>> = {
  '^': 'its last digits differ between servers; write a product',
  '?|': 'write one ? for each name, with OR',
  '?&': 'write one ? for each name, with AND',
  '@?': 'of JSON there are ->, ->>, #>, #>>, ? and @>',
  '@@': 'of JSON there are ->, ->>, #>, #>>, ? and @>',
  power: 'its last digits differ between servers; write a product',
  pow: 'its last digits differ between servers; write a product',
  sqrt: 'its last digits differ between servers',
  to_date: 'cast a text in ISO 8601 (x::date), or put it in that order with substring and ||',
  to_number: 'cast the text (x::numeric), after replace or translate where it needs them',
  regexp_match: 'substring(x from pattern) gives what a pattern matches',
  regexp_matches: 'substring(x from pattern) gives what a pattern matches',
  regexp_like: 'write x ~ pattern',
  regexp_substr: 'substring(x from pattern) gives what a pattern matches',
  array_position: 'of arrays there are = ANY, @> and the like, subscripts and array_length',
  array_to_string: 'of arrays there are = ANY, @> and the like, subscripts and array_length',
  unnest: 'a row stays one row; the transform unpivot makes several of columns',
};

const refused: Readonly<Record<string, string>> = {
  SubLink: 'a subquery',
  A_ArrayExpr: 'an array beside ANY and ALL',
  RowExpr: 'a row ("(a, b)")',
  ParamRef: 'a parameter ("$1")',
  CollateClause: 'COLLATE (texts are always compared by collation "C")',
  XmlExpr: 'XML',
  NamedArgExpr: 'an argument by name',
  SetToDefault: 'DEFAULT',
};

const refusedOperators: Readonly<Record<string, string>> = {
  AEXPR_SIMILAR: 'SIMILAR TO',
  AEXPR_BETWEEN_SYM: 'BETWEEN SYMMETRIC',
  AEXPR_NOT_BETWEEN_SYM: 'NOT BETWEEN SYMMETRIC',
};
