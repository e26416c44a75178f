import '../expression/load-parser.ts';

export { type LoadOptions, readConfiguration as loadConfiguration } from './read-configuration.ts';
