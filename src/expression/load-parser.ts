import { loadSqlGrammar } from '../core/sql-grammar.ts';
import { setParser } from './parser.ts';

const { parseSync, SqlError } = await loadSqlGrammar();
setParser({ parse: parseSync, SqlError });
