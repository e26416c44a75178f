import { errorKind } from '../tidelock-error.ts';

/** TL-1xxx: configuration and commands. */
export const configErrors = {
  unreadable: errorKind<{ file: string; why: string }>({
    code: 'TL-1001',
    title: 'The configuration file cannot be read',
    recovery: 'usage',
    message: ({ file, why }) => `cannot read ${file}: ${why}`,
    remedy: () => 'Name the file with -c FILE or TIDELOCK_CONFIG, or write one.',
    explanation:
      'Every command but help needs a configuration. Tidelock looks for tidelock.yaml in the working directory.',
  }),
};
