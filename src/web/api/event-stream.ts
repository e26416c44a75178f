export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Server-sent events out of pieces of text, cut anywhere. EventSource can't send a token, so the stream is fetched; this
 * is what EventSource does with it, without ids and retry times, which the service does not send.
 */
export class EventStreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];

  /** The events that end in this piece. */
  push(piece: string): StreamEvent[] {
    const found: StreamEvent[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) found.push({ event: this.#event || 'message', data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
      } else this.#field(line);
    }
    return found;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
  }
}
