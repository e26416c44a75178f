// Compiled, and never run: what the API answers is what the page reads.
import type { z } from 'zod';
import type * as jobs from '../../src/api/documents/jobs.ts';
import type * as parked from '../../src/api/documents/parked.ts';
import type * as plan from '../../src/api/documents/plan.ts';
import type * as route from '../../src/api/documents/route.ts';
import type * as status from '../../src/api/documents/status.ts';
import type * as read from '../../src/web/api/documents.ts';

/** Compiles where an answer can be read as the page does. */
type Readable<Answer extends Read, Read> = [Answer, Read];

export type Agreement = [
  Readable<z.output<typeof status.serviceDocument>, read.ServiceDocument>,
  Readable<z.output<typeof status.statusDocument>, read.StatusDocument>,
  Readable<z.output<typeof status.metricsDocument>, read.MetricsDocument>,
  Readable<z.output<typeof route.tablesDocument>['tables'][number], read.TableDocument>,
  Readable<z.output<typeof route.checkedRoute>['findings'][number], read.FindingDocument>,
  Readable<z.output<typeof route.schemaDocument>, read.SchemaDocument>,
  Readable<z.output<typeof route.positionDocument>, read.PositionDocument>,
  Readable<z.output<typeof route.journalDocument>, read.JournalDocument>,
  Readable<z.output<typeof jobs.jobsDocument>['jobs'][number], read.JobDocument>,
  Readable<z.output<typeof parked.parkedList>['parked'][number], read.ParkedDocument>,
  Readable<z.output<typeof parked.parkedDocument>, read.ParkedDetailDocument>,
  Readable<z.output<typeof plan.planDocument>, read.PlanDocument>,
  Readable<z.output<typeof plan.appliedDocument>, read.AppliedDocument>,
  Readable<z.output<typeof plan.sharedCheck>, read.SharedCheckDocument>,
  Readable<z.output<typeof route.adoptedPosition>, read.AdoptedDocument>,
  Readable<z.output<typeof route.droppedRoute>, read.DroppedDocument>,
  Readable<z.output<typeof route.droppedLeftovers>, read.LeftoversDocument>,
  Readable<z.output<typeof route.renamedRoute>, read.RenamedDocument>,
];
