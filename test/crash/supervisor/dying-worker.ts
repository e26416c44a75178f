/** A worker that can't even begin. */
process.exit(7);
