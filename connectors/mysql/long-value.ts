/** From here on a value goes from its row into the message, and is never part of its statement's text. */
export const longBytes = 262_144;

/** What stands around a mark in a statement's text: no value and no name of the server holds this character there. */
const edge = '\0';

/** A multiple of three: pieces of base64 without padding between them. */
const pieceBytes = 49_152;

/** The literal of a value, written when its statement is. Nothing of the value is copied before. */
export interface LongValue {
  readonly bytes: number;
  write(into: Buffer, at: number): void;
}

/** A statement in whose text marks stand for long values. */
export interface LongStatement {
  readonly text: string;
  readonly values: readonly LongValue[];
  /** As the server gets it. */
  readonly bytes: number;
}

export type Statement = string | LongStatement;

export function statementBytes(statement: Statement): number {
  return typeof statement === 'string' ? Buffer.byteLength(statement) : statement.bytes;
}

/** The long values of statements while these are put together. */
export class LongValues {
  #values: LongValue[] = [];
  #bytes = 0;

  /** Stands in the statement for the literal. */
  mark(value: LongValue): string {
    const mark = `${edge}${this.#values.push(value) - 1}${edge}`;
    this.#bytes += value.bytes - mark.length;
    return mark;
  }

  /** What the marked ones have beyond their marks. */
  get moreBytes(): number {
    return this.#bytes;
  }

  /** The statement with this text; what is marked from now on is the next one's. */
  statement(text: string): Statement {
    if (this.#values.length === 0) return text;
    const values = this.#values;
    const bytes = Buffer.byteLength(text) + this.#bytes;
    this.#values = [];
    this.#bytes = 0;
    return { text, values, bytes };
  }
}

/** Statements behind one another with `between`, as bytes behind `head`. */
export function writeStatements(head: Buffer, statements: readonly Statement[], between: string): Buffer {
  const length = statements.reduce((sum, statement) => sum + statementBytes(statement), 0);
  const message = Buffer.allocUnsafe(head.length + length + (statements.length - 1) * between.length);
  let at = head.copy(message);
  for (const [number, statement] of statements.entries()) {
    if (number > 0) at += message.write(between, at);
    if (typeof statement === 'string') at += message.write(statement, at);
    else
      for (const [place, piece] of statement.text.split(edge).entries()) {
        // What lies between two marks, and what a mark stands for, take turns.
        const value = place % 2 === 1 ? statement.values[Number(piece)] : undefined;
        if (value === undefined) at += message.write(piece, at);
        else {
          value.write(message, at);
          at += value.bytes;
        }
      }
  }
  if (at !== message.length) throw new RangeError('a statement of another length than was counted');
  return message;
}

/** A text without anything that may not stand between quotes. */
export function quotedValue(text: string): LongValue {
  const length = Buffer.byteLength(text);
  return {
    bytes: length + 2,
    write: (into, at) => {
      into.write("'", at);
      into.write(text, at + 1);
      into.write("'", at + 1 + length);
    },
  };
}

/** In base64, between what makes bytes or a text of it again. */
export function encodedValue(value: string | Buffer, before: string, behind: string): LongValue {
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  const encoded = Math.ceil(length / 3) * 4;
  return {
    bytes: before.length + encoded + behind.length,
    write: (into, at) => {
      const start = at + into.write(before, at);
      if (typeof value === 'string') {
        // At the end of its room, from where it is encoded to the front: what is written never comes up to what is still to be read.
        const from = start + encoded - length;
        into.write(value, from);
        encode(into.subarray(from, from + length), into, start);
      } else encode(value, into, start);
      into.write(behind, start + encoded);
    },
  };
}

function encode(bytes: Buffer, into: Buffer, at: number): void {
  let to = at;
  for (let from = 0; from < bytes.length; from += pieceBytes)
    to += into.write(bytes.toString('base64', from, from + pieceBytes), to, 'latin1');
}
