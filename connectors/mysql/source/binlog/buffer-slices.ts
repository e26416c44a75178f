declare global {
  /** Node's own readers of text, which its type declarations leave out: a third of the time of toString(). */
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
    hexSlice(start?: number, end?: number): string;
  }
}

export {};
