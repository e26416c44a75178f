/** What can be allowed by name, and where. docs/configuration.md lists them. */
export const allowNames = {
  node: {},
  route: {
    targetTriggers:
      'Enabled triggers and cascading foreign keys at target tables act on replicated rows, where the user at the target may not switch them off. What they write may differ from the source.',
  },
  service: {
    openApi: 'The HTTP API listens beyond loopback without a token or without TLS.',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
