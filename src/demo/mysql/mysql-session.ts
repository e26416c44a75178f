import mysql from 'mysql2/promise';
import type { DemoSession } from '../scenario.ts';

export interface MysqlPlace {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Values come as the text that the server writes, of bytes too: whoever wants those asks for HEX(). */
export async function openMysqlSession({ port, user, password }: MysqlPlace): Promise<DemoSession> {
  const connection = await mysql.createConnection({
    ...{ host: '127.0.0.1', port, user, password, charset: 'utf8mb4' },
    typeCast: (field) => field.string(),
  });
  // A server that is stopped under an idle connection is no reason to end the process; the next query says so.
  connection.on('error', () => {});
  return {
    query: async (text, values = []) => {
      const [result] = await connection.query(text, values);
      if (Array.isArray(result)) return { rows: result as Record<string, unknown>[], rowCount: result.length };
      return { rows: [{ id: result.insertId }], rowCount: result.affectedRows };
    },
    end: () => connection.end(),
  };
}
