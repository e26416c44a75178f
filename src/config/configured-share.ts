import { ABSENT, UNCHANGED } from '../core/cell.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { transformErrors } from '../core/errors/catalogue/transform.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { BoundShare, OwnedShare, SharePlace } from '../core/owned-share.ts';
import { ExpressionProblem, type ParsedExpression } from '../expression/expression.ts';
import { areApart, bindShare, parseShare } from '../expression/owned-share.ts';
import { plainCondition } from '../expression/plain-condition.ts';
import { problemText } from './configured-expression.ts';

/** `owns` of the configuration. Throws an ExpressionProblem where the text says what it must not. */
export function configuredShare(text: string): OwnedShare {
  return shareOf(text, ({ route, table }, problem) =>
    fail(transformErrors.share, { route, table, owns: text, problem }),
  );
}

/** A part of a source table that somebody asks for. Throws an ExpressionProblem, too. */
export function askedPart(text: string): OwnedShare {
  return shareOf(text, ({ route, table }, problem) => fail(routeErrors.loadPart, { route, table, problem }));
}

type Refuse = (place: SharePlace, problem: string) => Error;

function shareOf(text: string, refuse: Refuse): OwnedShare {
  const parsed = parseShare(text);
  return { text, bind: (place) => bind(parsed, place, refuse) };
}

function bind(parsed: ParsedExpression, place: SharePlace, refuse: Refuse): BoundShare {
  const { columns, key } = place;
  const problem = (text: string): never => {
    throw refuse(place, text);
  };
  try {
    const bound = bindShare(parsed, columns);
    const outside = bound.reads.find((index) => !key.includes(index));
    if (outside !== undefined) return problem(`${columns[outside]?.name} is not part of what identifies a row there`);
    return {
      text: parsed.text,
      reads: bound.reads,
      plain: plainCondition(parsed, columns),
      isOurs(row) {
        if (bound.reads.some((index) => row[index] === UNCHANGED || row[index] === ABSENT)) return null;
        return bound.isTrue(row);
      },
      isApartFrom(text) {
        try {
          return areApart(parsed, parseShare(text), columns);
        } catch (error) {
          if (error instanceof ExpressionProblem) return false;
          throw error;
        }
      },
    };
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return problem(problemText(error));
  }
}
