import { configErrors } from '../core/errors/catalogue/config.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import type { TidelockError } from '../core/errors/tidelock-error.ts';

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
export function statusOfError({ code, recovery }: TidelockError): number {
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
