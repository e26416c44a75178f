// The main process of the run has been killed: what this one would still start nobody would end.
process.once('disconnect', () => process.exit(1));
