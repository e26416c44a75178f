import { configErrors } from '../core/errors/catalogue/config.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { asTidelockError } from '../core/errors/defect.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import { isReplacedPart } from '../core/installation.ts';

const statusByCode: Readonly<Record<string, number>> = {
  [serviceErrors.unauthorised.code]: 401,
  [serviceErrors.forbidden.code]: 403,
  [serviceErrors.otherOrigin.code]: 403,
  [serviceErrors.tooMany.code]: 429,
  [serviceErrors.noSuchPath.code]: 404,
  [serviceErrors.invalidRequest.code]: 400,
  [serviceErrors.failed.code]: 500,
  [configErrors.arguments.code]: 400,
  [configErrors.unknownName.code]: 404,
  [routeErrors.parkedUnknown.code]: 404,
  [routeErrors.jobMissing.code]: 404,
};

/** HTTP status of an error: asking again may help (503), a database refuses (502), or what is there does not allow it (409). */
function statusOfError({ code, recovery }: TidelockError): number {
  const known = statusByCode[code];
  if (known !== undefined) return known;
  if (recovery === 'retry') return 503;
  return code.startsWith('TL-5') ? 502 : 409;
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string };
}

export function errorBody({ code, message, remedy }: TidelockError): ErrorBody {
  return { error: { code, message, remedy } };
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** What is answered for whatever was thrown; of a defect nothing but that it was one. */
export function answerOf(thrown: unknown): ErrorAnswer {
  const error = isReplacedPart(thrown) ? asTidelockError(thrown) : thrown;
  if (error instanceof TidelockError) {
    const status = statusOfError(error);
    const headers: Record<string, string> = {};
    if (status === 401) headers['www-authenticate'] = 'Bearer';
    if (error.code === serviceErrors.tooMany.code)
      headers['retry-after'] = String((error.place as { readonly seconds: number }).seconds);
    return { status, headers, body: errorBody(error) };
  }
  const { statusCode: status = 500 } = error as { readonly statusCode?: number };
  // Fastify's own: a body that is too large, of another type, cut off, a path that can't be decoded.
  if (status < 400 || status >= 500)
    return { status: 500, headers: {}, body: errorBody(fail(serviceErrors.failed, {})) };
  const why =
    { 413: 'the body is too large', 414: 'a part of its path is too long', 415: 'the body is no JSON' }[status] ??
    'it can not be read';
  return { status, headers: {}, body: errorBody(fail(serviceErrors.invalidRequest, { why })) };
}
