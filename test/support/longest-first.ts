import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take 35 s and more beside others, longest first: what is long and begins last keeps one worker busy at the end alone. */
const longest = [
  'test/full/failpoints-mariadb-to-mariadb.test.ts',
  'test/full/failpoints-postgres-to-mysql.test.ts',
  'test/full/failpoints-mysql-to-mariadb.test.ts',
  'test/full/failpoints-mariadb-to-postgres.test.ts',
  'test/full/failpoints-second-passing.test.ts',
  'test/full/failpoints-third-passing.test.ts',
  'test/full/regression-suite.test.ts',
  'test/full/image.test.ts',
  'test/full/mysql-compare.test.ts',
  'test/full/mysql-large-row.test.ts',
  'test/full/mysql-transforms.test.ts',
  'test/full/demo-rental.test.ts',
  'test/crash/engines.test.ts',
  'test/crash/failpoints.test.ts',
  'test/crash/vendor-failpoints.test.ts',
  'test/integration/route/new-tables.test.ts',
  'test/integration/demo.test.ts',
  'test/integration/route/load.test.ts',
  'test/integration/package.test.ts',
  'test/integration/route/collisions.test.ts',
  'test/integration/route/schema-changes.test.ts',
  'test/integration/cli/cli.test.ts',
  'test/integration/route/plan.test.ts',
  'test/integration/mysql/load.test.ts',
  'test/crash/load.test.ts',
  'test/crash/parking.test.ts',
  'test/property/ddl.property.test.ts',
  'test/web/console.test.ts',
  'test/integration/vendors/routes.test.ts',
  'test/integration/route/shapes.test.ts',
  'test/property/replay.property.test.ts',
  'test/integration/mysql/route.test.ts',
  'test/integration/mysql/consumer.test.ts',
  'test/integration/service/service.test.ts',
  'test/integration/route/halts.test.ts',
  'test/integration/route/ddl-forms.test.ts',
  'test/integration/compare/repair.test.ts',
  'test/integration/consumer/commits.test.ts',
  'test/integration/route/ddl.test.ts',
  'test/integration/route/drop.test.ts',
  'test/crash/signals.test.ts',
  'test/crash/watchdog.test.ts',
  'test/integration/route/types.test.ts',
  'test/property/expression.property.test.ts',
  'test/integration/consumer/traps.test.ts',
  'test/integration/compare/equality.test.ts',
  'test/integration/route/ddl-objects.test.ts',
  'test/crash/restore.test.ts',
  'test/integration/consumer/parking.test.ts',
  'test/integration/mysql/compare.test.ts',
  'test/integration/route/given-queue.test.ts',
  'test/integration/route/partitions.test.ts',
  'test/property/types.test.ts',
];

/** The order of test files; those that are not in the list come in vitest's own order, and unit tests last: they fill what the others leave. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    return others.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
  if (place >= 0) return place;
  return moduleId.includes('/test/unit/') ? longest.length + 1 : longest.length;
}
