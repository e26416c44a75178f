import type { CarriedTables, DdlChange, DroppedObject } from '../../../src/core/change.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type { CarriedSet } from './carried-set.ts';
import type { DdlKey } from './ddl-capture.ts';
import { type DdlMessage, type DdlObject, readDdlMessage } from './ddl-message.ts';
import { leftOutTags } from './ddl-tags.ts';
import type { TypeNames } from './pgoutput/type-names.ts';
import { factsOf } from './table-facts.ts';
import { isSelected } from './table-filter.ts';

export interface DdlReaderOptions {
  readonly route: RouteDefinition;
  readonly key: DdlKey;
  readonly carried: CarriedSet;
  readonly types: TypeNames;
  readonly logger: Logger;
}

interface Place {
  readonly xid: string;
  readonly at: Position;
  readonly applied: boolean;
}

/** ALTER TABLE ... ALTER TYPE; the others are a default that is no constant, persistence, access method. */
const typesRewritten = 4;
const valuesRewritten = 2;

/**
 * Makes changes of the messages that the event triggers have written, of what the route carries; and keeps the set of
 * carried tables as the commands leave it, in the order of the queue, since the rows that follow are taken or left by it.
 */
export class DdlReader {
  readonly #options: DdlReaderOptions;
  /** Within one transaction: commands by the text they came in, what they are and what about. */
  readonly #ordinals = new Map<string, number>();
  /** Within one transaction: why rows were written anew, which is told before the command itself. */
  readonly #rewrites = new Map<string, number>();
  #toldForged = false;

  constructor(options: DdlReaderOptions) {
    this.#options = options;
  }

  /** A transaction has ended. */
  end(): void {
    this.#ordinals.clear();
    this.#rewrites.clear();
  }

  /** Null for what the route does not carry. Throws RangeError for what can't be read. */
  read(content: string, place: Place): DdlChange | null {
    const { route, key, logger } = this.#options;
    const message = readDdlMessage(content, key, place.xid);
    if (message === null) {
      // Another route's have another key.
      if (!this.#toldForged && content.includes(`"route": ${JSON.stringify(routeKey(route))}`))
        logger.warn(
          { position: place.at, transaction: place.xid },
          'a DDL message without a valid signature is left out',
        );
      this.#toldForged ||= content.includes(`"route": ${JSON.stringify(routeKey(route))}`);
      return null;
    }
    return message.event === 'table_rewrite' ? this.#rewrite(message) : this.#command(message, place);
  }

  #rewrite({ objects, batch, reason }: DdlMessage): null {
    for (const { relation, root } of objects)
      if (this.#isCarried(relation, root ?? null))
        this.#rewrites.set(batch, (this.#rewrites.get(batch) ?? 0) | (reason ?? 0));
    return null;
  }

  #isCarried(relation: number | null, root: TableName | null): boolean {
    const { carried } = this.#options;
    if (relation !== null && carried.labelOf(String(relation)) !== null) return true;
    return root !== null && carried.has(root.schema, root.name);
  }

  #command(message: DdlMessage, place: Place): DdlChange | null {
    const { tag, objects, batch } = message;
    for (const { domain } of objects) if (domain) this.#options.types.limit(domain);
    const object = objects.find((one) => one.tag === tag && one.original !== false) ?? objects[0];
    if (object === undefined) return null;
    const text = message.nested ? (message.within ?? null) : message.text;
    // A block may give several texts.
    const ordinalKey = [batch, tag, countedBy(tag, object), message.nested ? text : ''].join('\0');
    const ordinal = this.#ordinals.get(ordinalKey) ?? 0;
    this.#ordinals.set(ordinalKey, ordinal + 1);
    const rewritten = this.#takeRewrite(batch, tag);
    const meaning = message.event === 'sql_drop' ? this.#drop(message) : this.#change(message, object);
    if (meaning === null) return null;
    const { settings, statement, facts, nested, plain } = message;
    const table = this.#tableOf(object);
    return {
      kind: 'ddl',
      tag,
      object: object.identity,
      table: message.event === 'sql_drop' ? null : table,
      name: (tag === 'ALTER TABLE' ? object.table : null) ?? object.name,
      text,
      ordinal,
      statement: meaning.leftOut ? null : statement,
      obstacle:
        meaning.obstacle ??
        (meaning.leftOut || statement !== null || message.event === 'sql_drop'
          ? null
          : obstacleOf({ nested, plain, text })),
      leftOut: meaning.leftOut,
      rewritten,
      settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value ?? ''])),
      facts: facts === null || object.root ? null : { ...factsOf(facts), position: place.at },
      dropped: meaning.dropped,
      tables: meaning.tables,
      applied: place.applied,
      at: place.at,
    };
  }

  #takeRewrite(batch: string, tag: string): DdlChange['rewritten'] {
    if (tag !== 'ALTER TABLE') return null;
    const reason = this.#rewrites.get(batch);
    this.#rewrites.delete(batch);
    if (reason === undefined) return null;
    if (reason === typesRewritten) return 'types';
    return (reason & ~(typesRewritten | valuesRewritten)) === 0 ? 'values' : 'other';
  }

  #tableOf({ relation, schema, table, root }: DdlObject): TableName | null {
    if (root) return root;
    return relation !== null && schema !== null && table !== null ? { schema, name: table } : null;
  }

  /** The route has made it at the target, though its rows do not come, yet: it has no key, or had rows when it got one. */
  #isMade({ told }: DdlObject): boolean {
    return told === true && this.#options.route.newTables !== 'ignore';
  }

  #change(message: DdlMessage, object: DdlObject): Meaning | null {
    const { route, carried } = this.#options;
    const { tag } = message;
    const table = this.#tableOf(object);
    const leftOut = leftOutTags.includes(tag);
    if (table === null) {
      // A route that means none of its schema's tables has nothing to do with it.
      const isMeant =
        object.schema === null
          ? leftOut
          : [object.schema, ...schemaBefore(message, object)].some(
              (name) => name === null || route.tables.meansSchema(name),
            );
      return isMeant ? { ...plainly, leftOut: leftOut || isOfLeftOut(tag, object) } : null;
    }
    const was = carried.labelOf(String(object.relation));
    const isHere = this.#isCarried(object.relation, object.root ?? null);
    if (object.root) return isHere || this.#isMade(object) ? { ...plainly, leftOut } : null;
    if (was !== null && was !== tableLabel(table)) return this.#renamed(object, table, was);
    if (isHere) return { ...plainly, leftOut, obstacle: message.heirs ? inherited : null };
    if (!isSelected(route, table.schema, table.name)) return null;
    // Not in the publication, or not empty: a new table as any other. Its definition is made all the same.
    if (!isCreation(tag)) {
      if (!message.published) return this.#isMade(object) ? { ...plainly, leftOut } : null;
    } else if (object.persistence !== 'p' || !(message.joins ?? route.newTables !== 'ignore'))
      return { ...plainly, leftOut: true };
    if (!message.published) return { ...plainly };
    carried.add(String(object.relation), table);
    return { ...plainly, tables: { kind: 'created' } };
  }

  #renamed(object: DdlObject, table: TableName, was: string): Meaning {
    const { route, carried } = this.#options;
    const from = carried.nameOf(was);
    if (!isSelected(route, table.schema, table.name) || from === null)
      return { ...plainly, obstacle: 'under its new name the table is not part of the route' };
    carried.rename(String(object.relation), table);
    return { ...plainly, tables: { kind: 'renamed', from } };
  }

  /**
   * What the target is to drop, too, of what has gone by CASCADE: tables of the route, what these need in schemas that it means, and foreign keys of its tables. Null of what
   * it goes without (views, functions): where it has some of that all the same, its server refuses to drop what that depends on.
   */
  #along(object: DdlObject): DroppedObject | null {
    const { route } = this.#options;
    const { type, schema, name, relation, address } = object;
    if (type === 'table')
      return this.#isCarried(relation, null) || this.#isMade(object) ? { type, schema, name, cascaded: true } : null;
    if (type === 'table constraint') {
      const [of = '', table = '', constraint = ''] = address ?? [];
      return isSelected(route, of, table) ? { type, schema: of, table, name: constraint, cascaded: true } : null;
    }
    const isCarried = ['sequence', 'type', 'composite type', 'domain'].includes(type);
    return isCarried && schema !== null && route.tables.meansSchema(schema)
      ? { type, schema, name, cascaded: true }
      : null;
  }

  #drop({ tag, objects }: DdlMessage): Meaning | null {
    const { route, carried } = this.#options;
    const isOurs = (one: DdlObject): boolean =>
      one.type === 'table'
        ? this.#isCarried(one.relation, null) || this.#isMade(one)
        : one.schema !== null && route.tables.meansSchema(one.schema);
    const ours = objects.filter(isOurs);
    const named = ours.filter(({ original }) => original === true);
    const tables = ours.filter(({ type }) => type === 'table');
    if (ours.length === 0) return null;
    if (leftOutTags.includes(tag) && tables.length === 0) return { ...plainly, leftOut: true };
    // Of the route's, or reached from it.
    const cascaded = objects.filter((one) => isCascaded(one));
    const along = cascaded.flatMap((one) => this.#along(one) ?? []);
    const columns = cascaded.filter(({ type }) => type === 'table column');
    const taken = columns.some(
      ({ address }) => address == null || isSelected(route, address[0] ?? '', address[1] ?? ''),
    );
    if (named.length === 0 && along.length === 0 && !taken) return null;
    const obstacle =
      tag === 'DROP OWNED' || leftOutTags.includes(tag)
        ? 'commands of this kind are not carried'
        : taken
          ? 'CASCADE has taken columns of other tables with it'
          : null;
    const names = tables.flatMap(({ schema, table }) =>
      schema === null || table === null ? [] : [{ schema, name: table }],
    );
    for (const { relation } of tables) carried.remove(String(relation));
    return {
      ...plainly,
      obstacle,
      dropped: [
        ...named.map(({ type, schema, name }) => ({ type, schema: type === 'schema' ? null : schema, name })),
        ...along,
      ],
      tables: names.length === 0 ? null : { kind: 'dropped', names },
    };
  }
}

/** Partitions go with their table, and are no objects of their own to the route. */
function isCascaded({ type, original, cascaded }: DdlObject): boolean {
  return cascaded === true || (type === 'table' && original !== true);
}

const inherited = 'other tables inherit from it, whose definitions change with it';

const identifier = String.raw`("(?:[^"]|"")+"|[^\s";]+)`;
const schemaRename = new RegExp(String.raw`\balter\s+schema\s+${identifier}\s+rename\s+to\s+${identifier}`, 'gi');

/**
 * The names that a schema may have had before it got the one that the catalogue gives, which knows no other: by the text. Null for one that can't be told
 * (a comment in between, U&""): whoever parses the command decides.
 */
function schemaBefore({ tag, text, within, nested }: DdlMessage, { name }: DdlObject): readonly (string | null)[] {
  if (tag !== 'ALTER SCHEMA') return [];
  const own = (nested ? within : text) ?? null;
  const plainName = (word = ''): string =>
    word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase();
  const found = [...(own ?? '').matchAll(schemaRename)].filter(([, , to]) => plainName(to) === name);
  if (found.length > 0) return found.map(([, from]) => plainName(from));
  return own === null || /\brename\b/i.test(own) ? [null] : [];
}

/** What commands of one tag and one text are counted by, as readCommand does: whatever schema it is in, of a kind that a text may name in many ways all. */
function countedBy(tag: string, { table, name }: DdlObject): string {
  if (['COMMENT', 'ALTER DOMAIN'].includes(tag)) return '';
  return (['ALTER TABLE', 'CREATE INDEX'].includes(tag) ? table : null) ?? name;
}

interface Meaning {
  readonly leftOut: boolean;
  readonly obstacle: string | null;
  readonly dropped: DdlChange['dropped'];
  readonly tables: CarriedTables | null;
}

const plainly: Meaning = { leftOut: false, obstacle: null, dropped: [], tables: null };

function isCreation(tag: string): boolean {
  return ['CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO'].includes(tag);
}

/** COMMENT ON FUNCTION, ALTER TABLE of a view. */
function isOfLeftOut(tag: string, { type }: DdlObject): boolean {
  const carried = [
    'table',
    'index',
    'type',
    'composite type',
    'domain',
    'sequence',
    'schema',
    'table column',
    'table constraint',
    'domain constraint',
  ];
  return ['COMMENT', 'ALTER TABLE'].includes(tag) && !carried.includes(type);
}

function obstacleOf(of: { nested: boolean; plain: boolean; text: string | null }): string | null {
  if (of.nested && of.text === null) return 'it was given within a function, so that its text is not known';
  if (of.plain && of.text !== null) return null;
  return 'its text is too long, or standard_conforming_strings was off';
}
