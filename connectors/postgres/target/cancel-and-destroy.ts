import pg from 'pg';

/** A server that does not answer is left alone after that. */
const mostMs = 1_000;

/** What the driver has beyond its types. */
interface DriverClient {
  readonly host: string;
  readonly port: number;
  readonly ssl: unknown;
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly _activeQuery: unknown;
  readonly _sentQueryQueue: readonly unknown[];
}

interface DriverConnection {
  connect(port: number | string, host?: string): void;
  cancel(processId: number, secretKey: number): void;
}

/**
 * Ends a session from this side. A server that waits for a lock does not notice that its client is gone: once it gets the lock it would carry out
 * all that it was sent. So what is not answered is cancelled first, on a connection of its own, and only then the session's is closed: before,
 * the server has nobody left to cancel for.
 */
export function cancelAndDestroy(client: pg.Client): void {
  const { stream } = client.connection;
  const { _activeQuery: active, _sentQueryQueue: sent } = client as unknown as DriverClient;
  if (stream.destroyed || (!active && sent.length === 0)) {
    stream.destroy();
    return;
  }
  void cancel(client as unknown as DriverClient).then(() => stream.destroy());
}

/** Resolves when the server has taken the request, or does not answer. */
function cancel({ host, port, ssl, processID, secretKey }: DriverClient): Promise<void> {
  if (processID === null || secretKey === null) return Promise.resolve();
  const request = new pg.Connection({ ssl } as pg.ConnectionConfig);
  const driver = request as unknown as DriverConnection;
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      request.stream.destroy();
      resolve();
    };
    const timer = setTimeout(end, mostMs);
    request.on('error', end);
    // The server closes it when the signal is sent.
    request.on('end', end);
    request.on(ssl ? 'sslconnect' : 'connect', () => driver.cancel(processID, secretKey));
    if (host.startsWith('/')) driver.connect(`${host}/.s.PGSQL.${port}`);
    else driver.connect(port, host);
  });
}
