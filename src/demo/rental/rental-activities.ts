import type { Activity, DemoSession } from '../scenario.ts';
import type { rentalCounts } from './rental-rows.ts';
import { accountCount } from './rental-schema.ts';

/** What the clients of the shops do, over tables of these sizes. */
export function rentalActivities(counts: ReturnType<typeof rentalCounts>): readonly Activity[] {
  const rent: Activity = { name: 'rental', everyMs: 20, write: (client) => lend(client, counts) };
  const book: Activity = { name: 'booking', everyMs: 15, write: transfer };
  return [
    book,
    book,
    rent,
    rent,
    { name: 'return', everyMs: 25, write: giveBack },
    { name: 'customer', everyMs: 30, write: (client) => changeCustomer(client, counts.customer) },
    { name: 'film', everyMs: 120, write: changeFilm },
    { name: 'stock', everyMs: 4_000, write: (client) => count(client, counts.store) },
  ];
}

/** What all accounts have together stays what it is. */
async function transfer(client: DemoSession): Promise<number> {
  const from = 1 + random(accountCount);
  const to = 1 + ((from + random(accountCount - 1)) % accountCount);
  const amount = (1 + random(5_000)) / 100;
  // Locked in the order of their numbers, so that bookings don't deadlock with each other.
  await client.query('SELECT 1 FROM rental.account WHERE id IN (?, ?) ORDER BY id FOR UPDATE', [from, to]);
  const pay = 'UPDATE rental.account SET balance = balance + ? WHERE id = ?';
  await client.query(pay, [-amount, from]);
  await client.query(pay, [amount, to]);
  return 2;
}

async function lend(client: DemoSession, counts: ReturnType<typeof rentalCounts>): Promise<number> {
  const customer = 1 + random(counts.customer);
  const { rows } = await client.query(
    'INSERT INTO rental.rental (rented, inventory_id, customer_id, staff_id) VALUES (NOW(6), ?, ?, ?)',
    [1 + random(counts.inventory), customer, 1 + random(counts.staff)],
  );
  await client.query('INSERT INTO rental.payment (rental_id, customer_id, amount) VALUES (?, ?, ?)', [
    ...[rows[0]?.id, customer],
    (99 + random(900)) / 100,
  ]);
  // The row that the trigger changes, too.
  return 3;
}

async function giveBack(client: DemoSession): Promise<number> {
  const { rows } = await client.query(
    `SELECT id FROM rental.rental WHERE returned IS NULL ORDER BY id DESC LIMIT ${1 + random(40)}, 1 FOR UPDATE SKIP LOCKED`,
  );
  const [{ id } = {}] = rows;
  if (id === undefined) return 0;
  if (random(8) === 0) {
    // Its payments stay, and point to nothing.
    const { rowCount } = await client.query('DELETE FROM rental.rental WHERE id = ?', [id]);
    return (rowCount ?? 0) + 1;
  }
  await client.query('UPDATE rental.rental SET returned = NOW(6) WHERE id = ?', [id]);
  return 2;
}

async function changeCustomer(client: DemoSession, customers: number): Promise<number> {
  const id = 1 + random(customers);
  if (random(3) > 0) {
    await client.query('UPDATE rental.customer SET points = points + 1 WHERE id = ?', [id]);
    return 1;
  }
  await client.query('UPDATE rental.customer SET email = ?, preferences = ? WHERE id = ?', [
    `customer${id}.${random(1_000_000)}@example.org`,
    JSON.stringify({ news: random(2) === 0, said: "tab\t, quote \" and 'déjà vu' \\ 🏠", n: random(1_000) / 8 }),
    id,
  ]);
  await client.query("INSERT INTO rental.audit VALUES (NOW(3), CONCAT('changed ', ?))", [random(20)]);
  return 2;
}

/** A film that comes with its cast and goes again: what points to it goes with it. */
async function changeFilm(client: DemoSession): Promise<number> {
  if (random(2) === 0) {
    const { rowCount } = await client.query("DELETE FROM rental.film WHERE title LIKE 'New %' ORDER BY id LIMIT 1");
    return (rowCount ?? 0) * 5;
  }
  const { rows } = await client.query(
    "INSERT INTO rental.film (title, description, released, language, minutes, rating, features) VALUES (CONCAT('New ', ?), 'Ωmega', 2026, 'en', 90, 'PG-13', 'Trailers,Deleted Scenes')",
    [random(1_000_000)],
  );
  const film = rows[0]?.id;
  await client.query('INSERT INTO rental.film_actor VALUES (?, 1, NULL), (?, 2, ?)', [film, film, 'Ötzi']);
  await client.query('INSERT INTO rental.film_category VALUES (?, 1)', [film]);
  await client.query('INSERT INTO rental.film_still VALUES (?, 1, ?, NULL)', [
    film,
    Buffer.from([0, 255, 92, 39, random(256)]),
  ]);
  return 5;
}

/** One large transaction now and then. */
async function count(client: DemoSession, stores: number): Promise<number> {
  const { rowCount } = await client.query(
    'UPDATE rental.inventory SET store_id = 1 + store_id % ? WHERE lent = 0 ORDER BY id LIMIT 400',
    [stores],
  );
  return rowCount ?? 0;
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
