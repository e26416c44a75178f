import { z } from 'zod';
import { conversionSchema } from './conversion-schema.ts';
import { allowList } from './node-schema.ts';
import type { Scalars } from './scalars.ts';
import { transformSchema } from './transform-schema.ts';

const list = 'x-type';

/** One entry of `tables`: a table or glob on its own, or a mapping. */
function tableSchema(s: Scalars) {
  const detailed = s.section({
    name: s.tablePattern('The table, or a glob.', { example: 'public.customers' }),
    to: s
      .targetTemplate(
        "The target table; {schema} and {table} stand for the source's. The same name where it is absent.",
        {
          example: 'crm.{table}',
        },
      )
      .optional(),
    where: s
      .expression(
        'Rows for which it is not true do not travel. A row that begins or ceases to match is inserted or deleted at the target.',
        { example: "region = 'EU'" },
      )
      .optional(),
    key: s
      .columns(
        "What identifies a row at the target, with names of before the renaming; the source's key where it is absent. It has to contain the source's key.",
        ['site', 'id'],
      )
      .optional(),
    columns: s
      .section({
        include: s.columns('The only columns that travel.', ['id', 'total']).optional(),
        exclude: z
          .array(s.text('A column.'))
          .optional()
          .meta({ [list]: 'list of columns', description: 'Columns that do not travel.', examples: [['ssn']] }),
        rename: z
          .record(z.string(), s.text('Name at the target.'))
          .optional()
          .meta({
            [list]: 'source name: target name',
            description: 'Columns that have another name at the target.',
            examples: [{ fname: 'first_name' }],
          }),
      })
      .optional()
      .meta({
        description: 'Which columns travel, and under which names. Applied after the transforms, with source names.',
      }),
    transforms: z
      .array(transformSchema(s))
      .optional()
      .meta({ [list]: 'list of transforms', description: 'Applied in this order, with source column names.' }),
    load: s
      .section({
        priority: s
          .integer({ min: -1000, max: 1000 }, 'Tables with a greater one are loaded first; 0 where it is absent.', {
            example: 10,
          })
          .optional(),
      })
      .optional()
      .meta({ description: 'How the table is loaded beside the stream.' }),
    owns: s
      .expression(
        "Which rows of the target table are this route's, where several routes write it: comparisons of columns of its key, under the target's names, with constants. Reloads, truncates, compares and repairs keep to them; another row halts the route (docs/load.md).",
        { example: "region = 'EU'" },
      )
      .optional(),
  });
  return z.union([s.tablePattern('The table, or a glob.'), detailed]);
}

function collisionRule(s: Scalars, description: string) {
  return s.section({
    resolve: s.choice({ now: ['halt', 'source'] }, description, { example: 'source' }).prefault('halt'),
    oldValues: s
      .choice(
        { now: ['ignore', 'check'] },
        "`check`: a row of the target that an update or delete finds with other values than the source's old ones is a collision, too. Needs REPLICA IDENTITY FULL at the source. `ignore`: only rows that are missing, or there already, are.",
        { example: 'check' },
      )
      .prefault('ignore'),
  });
}

export function routeSchema(s: Scalars) {
  return s
    .section({
      from: s.name('The source node.', { example: 'sales' }),
      to: s.name('The target node.', { example: 'reporting' }),
      tables: z
        .array(tableSchema(s))
        .min(1)
        .meta({
          [list]: 'list of tables',
          description: 'The tables of the route: names, globs, or mappings as below.',
          examples: [['public.orders', { name: 'public.*', to: 'crm.{table}' }]],
        }),
      exclude: z
        .array(s.tablePattern('A table, or a glob.'))
        .prefault([])
        .meta({
          [list]: 'list of tables',
          description: 'Tables that globs of `tables` do not mean. A table that is named without a glob stays in.',
          examples: [['public.tmp_*']],
        }),
      load: s
        .section({
          mode: s
            .choice(
              { now: ['initial', 'none'] },
              '`initial`: existing rows are copied before changes are applied; `none`: only changes.',
            )
            .prefault('initial'),
          existing: s
            .choice(
              { now: ['refuse', 'replace', 'merge'] },
              'What the load does about rows that are at the target already: `refuse` halts, `replace` empties the tables first, `merge` leaves rows that the source has not, and lets the values of the source win.',
            )
            .prefault('refuse'),
          wholeUpTo: s
            .size(
              'Tables that hold no more than this together are copied in one piece, from one moment of the source, before the route streams. Of more, those that have a key are loaded in ranges while it streams, and so are, between PostgreSQL servers, the others where they hold more than this (docs/load.md).',
              {},
              '1GB',
            )
            .prefault('100MB'),
          limits: s
            .section({
              rows: s
                .integer({ min: 1, max: 1_000_000_000 }, 'Rows in a second, of all tables together.', {
                  example: 20_000,
                })
                .optional(),
              bytes: s.size('Bytes in a second, of all tables together.', { example: '10MB' }).optional(),
              maxLoad: s.share('The share of the time in which the source is read.', { example: '25%' }).optional(),
              lag: s
                .duration('While changes come later than this to the target nothing is read: the stream goes first.')
                .prefault('10s'),
            })
            .prefault({})
            .meta({
              description:
                'How fast tables are read that are loaded beside the stream. Followed from the next start of the worker on, without consent.',
            }),
        })
        .prefault({})
        .meta({ description: 'The initial copy.' }),
      newTables: s
        .choice(
          { now: ['halt', 'ignore', 'load'] },
          'When a table appears at the source that a glob of the route means: `halt` waits for a person, `ignore` leaves it out, `load` publishes it, loads it beside the stream and follows it. The table has to be at the target.',
        )
        .prefault('halt'),
      schemaChanges: s
        .choice(
          { now: ['halt', 'ignore', 'evolve'] },
          'When the definition of a table changes: `halt` waits for a person; `evolve` adds, drops, renames and widens the columns at the target, too; `ignore` goes on with the columns that both sides have. What may have changed rows without row events halts in any case.',
        )
        .prefault('halt'),
      sequences: s
        .section({
          carry: s
            .choice(
              { now: ['onRequest', 'interval'] },
              'When the values of sequences are brought to the target: `interval` again and again while the route runs, `onRequest` only with `tidelock sequences`.',
            )
            .prefault('onRequest'),
          interval: s.duration('How often, with carry: interval.').prefault('60s'),
          include: z
            .array(s.tablePattern('A sequence, or a glob.'))
            .prefault([])
            .meta({
              [list]: 'list of sequences',
              description:
                'Sequences of the source that are carried though they belong to no column of the route, to those of the same name at the target.',
              examples: [['public.invoice_number']],
            }),
          exclude: z
            .array(s.tablePattern('A sequence, or a glob.'))
            .prefault([])
            .meta({
              [list]: 'list of sequences',
              description: 'Sequences of the source that are left alone.',
              examples: [['public.*_log_id_seq']],
            }),
        })
        .prefault({})
        .meta({ description: "Sequences of the tables' columns, so that the target can take over." }),
      forward: s
        .choice(
          { now: ['own', 'all'] },
          '`own`: changes made by applications at the source; `all`: also those that other routes brought there.',
        )
        .prefault('own'),
      ddl: s
        .choice(
          { now: ['ignore', 'replicate'] },
          '`replicate`: commands that change tables of the route and their indexes at the source are carried out at the target, in their place among the rows; what is not safe halts. The tables need the same names and columns at both sides. Wants event triggers at the source.',
        )
        .prefault('ignore'),
      apply: s
        .section({
          groupRows: s
            .integer(
              { min: 1, max: 1_000_000 },
              'Row changes that one target transaction takes, about. While more waits than that, up to eight times as many, as long as it takes no more than a second.',
            )
            .prefault(5000),
          groupTime: s
            .duration(
              'How long a target transaction may gather changes in a backlog; a route that keeps up never waits.',
            )
            .prefault('20ms'),
          lanes: s
            .integer(
              { min: 1, max: 16 },
              'Sessions at the target, PostgreSQL only. In a backlog target transactions that touch no key in common are carried out beside each other, and committed in source order (docs/performance.md). Followed from the next start of the worker on, without consent.',
            )
            .prefault(1),
          onError: s
            .choice(
              { now: ['halt', 'park'] },
              'What happens to a transaction whose rows the target refuses: the route halts, or the transaction is set aside whole, and with it those that come later and touch its keys.',
            )
            .prefault('halt'),
          // With every character escaped such a row is the longest text that the runtime can hold.
          maxRowBytes: s
            .size(
              'A row whose values have more bytes, as text, halts the route; a byte of bytea is two of text. At most 256MB.',
              {},
              '256MB',
            )
            .prefault('256MB'),
          memory: s
            .size('Budget for changes in memory. The process needs up to four times the largest row on top of it.')
            .prefault('128MB'),
        })
        .prefault({})
        .meta({ description: 'How changes are applied.' }),
      convert: conversionSchema(s),
      collisions: s
        .section({
          default: collisionRule(s, "`halt`: the route stops; `source`: the target row becomes what the source's is.")
            .prefault({})
            .meta({ description: 'For every table that `tables` does not name.' }),
          tables: z
            .record(s.tablePattern('A table, or a glob.'), collisionRule(s, 'As in `default`, for these tables.'))
            .prefault({})
            .meta({ [list]: 'table or glob: rule', description: 'Rules for some of the tables; a name beats a glob.' }),
        })
        .prefault({})
        .meta({ description: 'What happens when the target row is not what the source says it should be.' }),
      limits: s
        .section({
          lag: s
            .section({
              warn: s.duration('Health becomes warning.').prefault('10s'),
              critical: s.duration('Health becomes critical.').prefault('60s'),
            })
            .prefault({})
            .meta({ description: 'From the commit at the source to the commit at the target.' }),
          retained: s
            .section({
              warn: s.size('Health becomes warning.').prefault('5GB'),
              critical: s.size('Health becomes critical.').prefault('20GB'),
            })
            .prefault({})
            .meta({ description: 'What the source keeps because the route has not read it yet.' }),
          memory: s
            .size(
              'Resident memory of the worker process above which it is drained and started again. Where it is absent: 256MB, apply.memory, and four times the largest row so far.',
              { example: '1GB' },
            )
            .optional(),
        })
        .prefault({})
        .meta({ description: 'When the health of the route changes.' }),
      compare: s
        .section({
          every: s
            .duration(
              'How long after the begin of one compare of all tables in the background the next one begins; where one takes longer the next follows at once. Without it compares are begun on request only.',
              { example: '1d' },
            )
            .optional(),
          maxLoad: s
            .share('For which share of the time such a compare uses the databases.', { example: '25%' })
            .prefault('10%'),
        })
        .prefault({})
        .meta({
          description:
            'Compares in the background (docs/compare.md). Rows that differ make the health a warning until a compare finds none.',
        }),
      journal: s
        .section({
          keep: s.duration('How long.').prefault('400d'),
          entries: s
            .integer(
              { min: 100, max: 10_000_000 },
              'How many of each of the two: what operators have done, and what became of parked transactions.',
            )
            .prefault(10_000),
        })
        .prefault({})
        .meta({
          description:
            'What is kept at the target of what was done. What is parked stays until it is retried or discarded.',
        }),
      slot: s
        .text('A replication slot that somebody else made and keeps; without it the route owns one.', {
          example: 'my_slot',
        })
        .optional(),
      publication: s
        .text('A publication that somebody else made and keeps; without it the route owns one.', {
          example: 'my_publication',
        })
        .optional(),
      allow: allowList(s, 'What is allowed for this route by name.').prefault([]),
    })
    .meta({ description: 'Changes from one node to another.' });
}

export type RouteData = z.output<ReturnType<typeof routeSchema>>;
export type TableData = RouteData['tables'][number];
