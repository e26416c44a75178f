import type { Configuration } from '../config/configuration.ts';
import { type AdoptOptions, adoptPosition, readPosition } from './adopt-position.ts';
import { checkRoute } from './check-route.ts';
import type { Asked, Control } from './control.ts';
import { type DropOptions, dropRoute } from './drop-route.ts';
import { type StartOptions, startRoute, stopRoute } from './lifecycle.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';
import { askParked, type ParkedRequest } from './parked/ask-parked.ts';
import { listParked } from './parked/list-parked.ts';
import { type ShowOptions, showParked } from './parked/show-parked.ts';
import { readStatus } from './read-status.ts';
import { readTables } from './read-tables.ts';
import { sequencesNow } from './sequences-now.ts';
import { skipTransaction } from './skip-transaction.ts';
import { type WaitOptions, waitForRoute } from './wait-for-route.ts';

export interface LocalControlOptions {
  /** The one that counts now: a service reads its file again. */
  configuration(): Configuration;
}

/** What an operator does, carried out here: over a configuration and the databases of its routes. */
export class LocalControl implements Control {
  readonly #configuration: () => Configuration;

  constructor({ configuration }: LocalControlOptions) {
    this.#configuration = configuration;
  }

  async routes() {
    return [...this.#configuration().routes.keys()];
  }

  async status(routes?: readonly string[]) {
    const configuration = this.#configuration();
    return await readStatus(configuration, routes ?? [...configuration.routes.keys()]);
  }

  tables(route: string) {
    return this.#with(route, readTables);
  }

  check(route: string) {
    return this.#with(route, checkRoute);
  }

  position(route: string) {
    return this.#with(route, readPosition);
  }

  parked(route: string) {
    return this.#with(route, listParked);
  }

  parkedTransaction(route: string, id: string, options: ShowOptions) {
    return this.#with(route, (opened) => showParked(opened, id, options));
  }

  async wait(route: string, options: WaitOptions, signal: AbortSignal) {
    return await waitForRoute(this.#configuration(), route, options, signal);
  }

  start(route: string, options: StartOptions, _asked: Asked, signal: AbortSignal) {
    return this.#with(route, (opened) => startRoute(opened, options, signal));
  }

  stop(route: string, _asked: Asked) {
    return this.#with(route, stopRoute);
  }

  skip(route: string, transaction: string, asked: Asked) {
    return this.#with(route, (opened) => skipTransaction(opened, transaction, asked));
  }

  sequences(route: string, _asked: Asked) {
    return this.#with(route, sequencesNow);
  }

  askParked(route: string, request: ParkedRequest, asked: Asked, signal: AbortSignal) {
    return this.#with(route, (opened) => askParked(opened, request, asked, signal));
  }

  adopt(route: string, options: AdoptOptions, _asked: Asked) {
    return this.#with(route, (opened) => adoptPosition(opened, options));
  }

  drop(route: string, options: DropOptions, _asked: Asked) {
    return this.#with(route, (opened) => dropRoute(opened, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #with<T>(name: string, run: (route: OpenedRoute) => Promise<T>): Promise<T> {
    await using route = openRoute(this.#configuration().routes.demand(name, 'route'));
    return await run(route);
  }
}
