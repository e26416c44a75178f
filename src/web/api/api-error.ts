/** What the service answered instead of a document, or why it did not answer. */
export class ApiError extends Error {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly code: string | null;
  readonly remedy: string | null;

  constructor(status: number, { code, message, remedy }: { code?: string; message: string; remedy?: string }) {
    super(message);
    this.status = status;
    this.code = code ?? null;
    this.remedy = remedy ?? null;
  }
}
