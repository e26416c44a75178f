/**
 * The engine for embedding in a program of your own.
 *
 * @example
 * const configuration = loadConfiguration({ env: process.env, cwd: process.cwd() });
 * const supervisor = new Supervisor({ file: configuration.file, routes: [...configuration.routes.keys()], logger });
 * supervisor.start();
 * // and at the end
 * await supervisor.stop();
 */
export type { Configuration } from './config/configuration.ts';
export { type LoadOptions, loadConfiguration } from './config/load-configuration.ts';
export { errorCatalogue } from './core/errors/catalogue.ts';
export { type ErrorKind, type Recovery, TidelockError } from './core/errors/tidelock-error.ts';
export { type Logger, silentLogger } from './core/logger.ts';
export type { ParkedCount, ParkedStore, ParkedTransaction, ParkingOutcome, ParkingRequest } from './core/parked.ts';
export type { NodeDefinition, RouteDefinition } from './core/route.ts';
export type { LeaseHolder } from './core/route-state-store.ts';
export type { Concern, Health, Reason, Restart, RouteState, RouteStatus, WantedState } from './core/route-status.ts';
export type { BoundExit, ExitRow, ExitTable, ExitValue, UserExit } from './core/user-exit.ts';
export { openLogger } from './open-logger.ts';
export { connectorFor } from './registry.ts';
export { runRoute } from './supervisor/route-runner.ts';
export type { Patience, WorkerView } from './supervisor/supervised-route.ts';
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts';
