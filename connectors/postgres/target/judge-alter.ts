import type { AlterTableCmd, AlterTableStmt, ColumnDef, Node } from 'libpg-query';
import type { DdlChange } from '../../../src/core/change.ts';
import { NotCarried } from './not-carried.ts';

/** Those that leave the values of rows alone, or do to them at both sides the same. */
const carried: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_ColumnDefault',
  'AT_SetNotNull',
  'AT_DropNotNull',
  'AT_AddConstraint',
  'AT_AlterConstraint',
  'AT_DropConstraint',
  'AT_ValidateConstraint',
  'AT_AlterColumnType',
  'AT_DropExpression',
  'AT_SetExpression',
  'AT_AddIdentity',
  'AT_SetIdentity',
  'AT_DropIdentity',
  'AT_ReplicaIdentity',
  'AT_AddInherit',
  'AT_DropInherit',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_SetCompression',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
]);

/** Those that say nothing about rows, and are meant for their own side: it has other roles, triggers and disks. */
const leftOut: ReadonlySet<string> = new Set([
  'AT_ChangeOwner',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_SetTableSpace',
  'AT_SetAccessMethod',
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
  'AT_EnableTrig',
  'AT_EnableAlwaysTrig',
  'AT_EnableReplicaTrig',
  'AT_DisableTrig',
  'AT_EnableTrigAll',
  'AT_DisableTrigAll',
  'AT_EnableTrigUser',
  'AT_DisableTrigUser',
  'AT_EnableRule',
  'AT_EnableAlwaysRule',
  'AT_EnableReplicaRule',
  'AT_DisableRule',
]);

const partitions: ReadonlySet<string> = new Set([
  'AT_AttachPartition',
  'AT_DetachPartition',
  'AT_DetachPartitionFinalize',
]);

interface Judged {
  readonly retyped: readonly string[];
  readonly defaulted: readonly string[];
  readonly leftOut: boolean;
}

/** Throws NotCarried for what may leave other rows than at the source. */
export function judgeAlter({ cmds = [], objtype }: AlterTableStmt, rewritten: DdlChange['rewritten']): Judged {
  const commands = cmds.map((cmd) => {
    if (!('AlterTableCmd' in cmd)) throw new NotCarried('its form is not known');
    return cmd.AlterTableCmd;
  });
  if (objtype === 'OBJECT_TYPE' && commands.some(({ behavior }) => behavior === 'DROP_CASCADE'))
    throw new NotCarried('CASCADE may reach other things there than at the source');
  if (commands.length > 0 && commands.every(({ subtype }) => leftOut.has(subtype ?? '')))
    return { retyped: [], defaulted: [], leftOut: true };
  const retyped = commands.flatMap(judgePart);
  if (rewritten === 'other') throw new NotCarried('it has written the rows anew, perhaps with other values');
  if (rewritten === null) return { retyped: [], defaulted: [], leftOut: false };
  // Also where it was for other types alone: what an added column has got stands in no catalogue any more.
  if (!commands.every(givesEqualValues))
    throw new NotCarried('it has written the rows anew, with values that each side computes for itself');
  return { retyped, defaulted: commands.flatMap(defaultedBy), leftOut: false };
}

/** Names of the columns whose type the part changes. */
function judgePart({ subtype = 'AT_AddColumn', behavior, def, name }: AlterTableCmd): readonly string[] {
  if (partitions.has(subtype)) throw new NotCarried('the rows of a partition come or go with it without row events');
  if (leftOut.has(subtype)) throw new NotCarried('a part of it is not carried, which stands beside others that are');
  if (!carried.has(subtype)) throw new NotCarried('a part of it is not carried');
  if (behavior === 'DROP_CASCADE' && !['AT_DropColumn', 'AT_DropConstraint'].includes(subtype))
    throw new NotCarried('CASCADE may drop other things there than at the source');
  if (subtype !== 'AT_AlterColumnType' || def === undefined || !('ColumnDef' in def) || name === undefined) return [];
  if (!isPlainCast(def.ColumnDef, name)) throw new NotCarried('USING may give the rows other values');
  return [name];
}

/** No USING, or the one that is the cast itself. */
function isPlainCast({ raw_default, typeName }: ColumnDef, column: string): boolean {
  if (raw_default === undefined) return true;
  if (!('TypeCast' in raw_default)) return false;
  const { arg, typeName: to } = raw_default.TypeCast;
  if (arg === undefined || !('ColumnRef' in arg)) return false;
  const [field, ...more] = arg.ColumnRef.fields ?? [];
  const isIt = field !== undefined && 'String' in field && field.String.sval === column && more.length === 0;
  return isIt && withoutPlaces(to) === withoutPlaces(typeName);
}

/** Equal for two trees of a text that mean the same. */
export function withoutPlaces(node: unknown): string {
  return JSON.stringify(node, (key, value) => (key === 'location' ? undefined : value));
}

/** An added column that is computed from the others, or is a constant. */
function givesEqualValues({ subtype = 'AT_AddColumn', def }: AlterTableCmd): boolean {
  if (subtype !== 'AT_AddColumn' || def === undefined || !('ColumnDef' in def)) return true;
  const { constraints = [], typeName } = def.ColumnDef;
  const names = (typeName?.names ?? []).map((node) => ('String' in node ? node.String.sval : ''));
  if (/^(big|small)?serial[248]?$/.test(names.at(-1) ?? '')) return false;
  return constraints.every((node) => {
    if (!('Constraint' in node)) return false;
    const { contype, raw_expr } = node.Constraint;
    if (contype === 'CONSTR_IDENTITY') return false;
    return contype !== 'CONSTR_DEFAULT' || isConstant(raw_expr);
  });
}

/** An added column that takes what its type says: a domain may have a default. */
function defaultedBy({ subtype = 'AT_AddColumn', def }: AlterTableCmd): readonly string[] {
  if (subtype !== 'AT_AddColumn' || def === undefined || !('ColumnDef' in def)) return [];
  const { constraints = [], colname } = def.ColumnDef;
  const isGiven = constraints.some((node) => isOf(node, 'CONSTR_GENERATED') || isOf(node, 'CONSTR_DEFAULT'));
  return isGiven || colname === undefined ? [] : [colname];
}

function isOf(node: Node, contype: string): boolean {
  return 'Constraint' in node && node.Constraint.contype === contype;
}

function isConstant(node: Node | undefined): boolean {
  if (node === undefined) return true;
  const constant = 'TypeCast' in node ? node.TypeCast.arg : node;
  if (constant === undefined || !('A_Const' in constant)) return false;
  const { sval } = constant.A_Const;
  return !/\b(now|today|tomorrow|yesterday)\b/i.test(sval?.sval ?? '');
}
