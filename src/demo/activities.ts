import type { Activity, DemoSession } from './scenario.ts';
import { accountCount, customerCount } from './schema.ts';

const transfer: Activity = { name: 'transfer', everyMs: 14, write: makeTransfer };
const placed: Activity = { name: 'order', everyMs: 22, write: placeOrder };
const changed: Activity = { name: 'order changed', everyMs: 30, write: changeOrder };
const cancelled: Activity = { name: 'order cancelled', everyMs: 90, write: cancelOrder };
const visit: Activity = { name: 'customer', everyMs: 40, write: changeCustomer };
const interest: Activity = { name: 'monthly fee', everyMs: 4_000, write: moveFees };

/** One client each; transfers are what a bank does most. */
export const activities: readonly Activity[] = [
  transfer,
  transfer,
  transfer,
  placed,
  placed,
  changed,
  cancelled,
  visit,
  interest,
];

async function makeTransfer(client: DemoSession): Promise<number> {
  const from = 1 + random(accountCount);
  const to = 1 + ((from + random(accountCount - 1)) % accountCount);
  const amount = (1 + random(20_000)) / 100;
  // Locked in the order of their numbers, so that transfers don't deadlock with each other.
  await client.query('SELECT 1 FROM bank.accounts WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [[from, to]]);
  const pay = 'UPDATE bank.accounts SET balance = balance + $2, changed_at = clock_timestamp() WHERE id = $1';
  await client.query(pay, [from, -amount]);
  await client.query(pay, [to, amount]);
  await client.query('INSERT INTO bank.transfers (from_account, to_account, amount, note) VALUES ($1, $2, $3, $4)', [
    from,
    to,
    amount,
    random(10) === 0 ? null : "rent, tea & the cat's vet \\ déjà vu",
  ]);
  return 3;
}

async function placeOrder(client: DemoSession): Promise<number> {
  const lines = 1 + random(6);
  const { rows } = await client.query(
    `INSERT INTO shop.orders (customer_id, status, total, placed_at) VALUES ($1, 'open', 0, now()) RETURNING id`,
    [1 + random(customerCount)],
  );
  await client.query(
    `INSERT INTO shop.order_lines (order_id, line_no, product, quantity, price)
     SELECT $1, n, 'Tea no. ' || n * 7 % 40, 1 + n % 3, 4.90 + n FROM generate_series(1, $2::int) n`,
    [rows[0]?.id, lines],
  );
  await client.query(totalSql, [rows[0]?.id]);
  return lines + 2;
}

const totalSql = `UPDATE shop.orders o SET total =
  (SELECT coalesce(sum(quantity * price), 0) FROM shop.order_lines l WHERE l.order_id = o.id) WHERE id = $1`;

/** A recent order that no other client is at. */
const pickSql = `SELECT id FROM shop.orders WHERE id > (SELECT max(id) FROM shop.orders) - 300 AND status = 'open'
  OFFSET $1 LIMIT 1 FOR UPDATE SKIP LOCKED`;

async function changeOrder(client: DemoSession): Promise<number> {
  const { rows } = await client.query(pickSql, [random(60)]);
  if (rows.length === 0) return 0;
  const [{ id } = {}] = rows;
  if (random(2) === 0) {
    await client.query(`UPDATE shop.orders SET status = 'paid' WHERE id = $1`, [id]);
    return 1;
  }
  const { rowCount } = await client.query(
    'UPDATE shop.order_lines SET quantity = quantity + 1 WHERE order_id = $1 AND line_no <= 2',
    [id],
  );
  await client.query(totalSql, [id]);
  return (rowCount ?? 0) + 1;
}

async function cancelOrder(client: DemoSession): Promise<number> {
  const { rows } = await client.query(pickSql, [random(60)]);
  if (rows.length === 0) return 0;
  const { rowCount } = await client.query('DELETE FROM shop.order_lines WHERE order_id = $1', [rows[0]?.id]);
  await client.query('DELETE FROM shop.orders WHERE id = $1', [rows[0]?.id]);
  return (rowCount ?? 0) + 1;
}

async function changeCustomer(client: DemoSession): Promise<number> {
  const id = 1 + random(customerCount);
  if (random(4) > 0) {
    await client.query('UPDATE shop.customers SET visits = visits + 1 WHERE id = $1', [id]);
    return 1;
  }
  await client.query('UPDATE shop.customers SET email = $2, fname = $3 WHERE id = $1', [
    id,
    `customer${id}.${random(1_000_000)}@example.org`,
    random(2) === 0 ? 'Zoë' : 'Ōtomo',
  ]);
  return 1;
}

/** One large transaction now and then: a fee from every account to the bank's own. */
async function moveFees(client: DemoSession): Promise<number> {
  await client.query('SELECT 1 FROM bank.accounts ORDER BY id FOR UPDATE');
  const { rowCount } = await client.query(
    `WITH payers AS (SELECT id FROM bank.accounts WHERE id > 1 AND balance >= 0.10)
     UPDATE bank.accounts
        SET balance = balance + CASE id WHEN 1 THEN 0.10 * (SELECT count(*) FROM payers) ELSE -0.10 END,
            changed_at = clock_timestamp()
      WHERE id = 1 OR id IN (SELECT id FROM payers)`,
  );
  return rowCount ?? 0;
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
