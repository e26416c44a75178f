import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { errorBody } from './answer-error.ts';

/** Answers what never became a request, as all else is answered: no HTTP, headers without end, one that came too slowly. */
export function answerUnread(
  error: Error & { readonly code?: string },
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const { status, why } = unread(error.code);
    const body = JSON.stringify(errorBody(fail(serviceErrors.invalidRequest, { why })));
    const all = { ...headers, 'content-type': 'application/json; charset=utf-8', 'content-length': `${body.length}` };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}connection: close\r\n\r\n${body}`);
  }
  socket.destroy();
}

function unread(code: string | undefined): { readonly status: number; readonly why: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, why: 'it did not come in whole' };
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, why: 'its headers are too large' };
  return { status: 400, why: 'it is no HTTP' };
}
