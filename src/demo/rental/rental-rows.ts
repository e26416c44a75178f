import { accountCount, openingBalance } from './rental-schema.ts';

/** Rows of each table, of `rows` in all, about. */
export function rentalCounts(rows: number) {
  const part = (share: number, least: number): number => Math.max(least, Math.floor(rows * share));
  return {
    country: 40,
    city: part(0.002, 60),
    address: part(0.04, 200),
    store: 12,
    staff: 60,
    customer: part(0.06, 300),
    actor: part(0.01, 60),
    film: part(0.02, 200),
    stills: part(0.005, 40),
    inventory: part(0.08, 500),
    rental: part(0.3, 800),
    payment: part(0.3, 800),
    audit: part(0.05, 100),
  } as const;
}

/** A number below `below` that looks like chance and is the same for the same row in every run. */
function some(n: string, factor: number, below: number | string): string {
  return `(((${n}) * ${factor} + ${factor % 9_973}) % 1000003 % ${below})`;
}

/** Statements that fill the tables, each by itself: the same rows in every run. */
export function rentalRows(rows: number): readonly string[] {
  const counts = rentalCounts(rows);
  const most = Math.max(...Object.values(counts), accountCount);
  /** `n` from 1 on. */
  const upTo = (count: number): string => `rental.numbers WHERE n <= ${count}`;
  const doubled = Array.from(
    { length: Math.ceil(Math.log2(most)) },
    (_, at) => `INSERT INTO rental.numbers SELECT n + ${2 ** at} FROM rental.numbers WHERE n + ${2 ** at} <= ${most}`,
  );
  const words = "ELT(1 + n % 8, 'Ada', 'Björn', 'Chloé', 'Dmitri', 'Émine', 'Faruq', 'Grace', 'Hồng')";
  const names = "ELT(1 + n % 7, 'Almeida', 'Bauer', 'Çelik', 'Dubois', 'Eriksson', 'O''Hara', '李')";
  const titles =
    "ELT(1 + n % 6, 'The Long Wait', 'Night of Rows', 'Déjà vu', 'A Commit Too Far', 'Ω', 'Back to the Checkpoint')";
  return [
    'CREATE TABLE rental.numbers (n int PRIMARY KEY)',
    'INSERT INTO rental.numbers VALUES (1)',
    ...doubled,
    "INSERT INTO rental.language VALUES ('en', 'English'), ('de', 'Deutsch'), ('fr', 'Français'), ('ja', '日本語')",
    `INSERT INTO rental.country SELECT n, CONCAT('Country ', n) FROM ${upTo(counts.country)}`,
    `INSERT INTO rental.city SELECT n, 1 + n % ${counts.country}, CONCAT('City of ', n, ' ', ${names}) FROM ${upTo(counts.city)}`,
    `INSERT INTO rental.address SELECT n, CONCAT(n % 200, ' ', ${names}, ' Street'), IF(n % 3 = 0, '', CONCAT('District ', n % 20)), 1 + n % ${counts.city},
       IF(n % 5 = 0, NULL, LPAD(n % 100000, 5, '0')), ST_GeomFromText(CONCAT('POINT(', n % 180, '.5 ', n % 90, '.25)')) FROM ${upTo(counts.address)}`,
    `INSERT INTO rental.store (id, address_id) SELECT n, n FROM ${upTo(counts.store)}`,
    `INSERT INTO rental.staff (id, store_id, name, active, secret, picture, salary) SELECT n, 1 + n % ${counts.store}, CONCAT(${words}, ' ', ${names}), n % 4 <> 0, UNHEX(SHA2(n, 256)),
       IF(n % 3 = 0, REPEAT(UNHEX('00ff5c27'), 50 + n), NULL), n * 31.5 FROM ${upTo(counts.staff)}`,
    `INSERT INTO rental.customer (id, store_id, address_id, first_name, last_name, email, token, preferences, points, created, changed)
       SELECT n, 1 + n % ${counts.store}, IF(n % 9 = 0, NULL, 1 + ${some('n', 7919, counts.address)}), ${words}, ${names}, CONCAT('Customer', n, '@example.org'), UNHEX(LEFT(SHA2(n, 256), 32)),
       IF(n % 4 = 0, NULL, JSON_OBJECT('news', n % 2 = 0, 'genres', JSON_ARRAY('drama', n % 10), 'note', CONCAT('tab\\t"', n, '"'), 'limit', n * 1.5)), n % 1000,
       '2024-01-01' + INTERVAL n MINUTE, '2024-03-31 01:30:00.123' + INTERVAL n SECOND FROM ${upTo(counts.customer)}`,
    "INSERT INTO rental.category (name) VALUES ('Action'), ('Comedy'), ('Drama'), ('Family'), ('Horror'), ('Sci-Fi')",
    `INSERT INTO rental.actor SELECT n, ${words}, ${names}, IF(n % 6 = 0, NULL, '1950-02-28' + INTERVAL n * 13 DAY) FROM ${upTo(counts.actor)}`,
    `INSERT INTO rental.film (id, title, description, released, language, minutes, rate, score, worth, rating, features, details)
       SELECT n, CONCAT(${titles}, ' ', n), IF(n % 7 = 0, NULL, REPEAT(CONCAT('A tale of ', ${names}, '. '), 1 + n % 12)), 1950 + n % 75, ELT(1 + n % 4, 'en', 'de', 'fr', 'ja'), 60 + n % 120, 0.99 + n % 5,
       IF(n % 5 = 0, NULL, n / 7), n * 1e9 / 3, ELT(1 + n % 5, 'G', 'PG', 'PG-13', 'R', 'NC-17'), IF(n % 8 = 0, NULL, n % 16), IF(n % 3 = 0, NULL, JSON_OBJECT('reel', n, 'sound', 'mono')) FROM ${upTo(counts.film)}`,
    `INSERT IGNORE INTO rental.film_actor SELECT f.n, 1 + (f.n * 7 + k.n * 13) % ${counts.actor}, IF(f.n % 3 = 0, NULL, CONCAT('Role ', k.n)) FROM rental.numbers f JOIN rental.numbers k ON k.n <= 3 WHERE f.n <= ${counts.film}`,
    `INSERT INTO rental.film_category SELECT n, 1 + n % 6 FROM ${upTo(counts.film)}`,
    `INSERT INTO rental.film_still SELECT 1 + n % ${counts.film}, n, REPEAT(UNHEX(SHA2(n, 512)), 5 + n % 200), IF(n % 2 = 0, NULL, CONCAT('No. ', n)) FROM ${upTo(counts.stills)}`,
    `INSERT INTO rental.inventory (id, film_id, store_id) SELECT n, 1 + n % ${counts.film}, 1 + ${some('n', 104729, counts.store)} FROM ${upTo(counts.inventory)}`,
    `INSERT INTO rental.price SELECT r.name, '2020-01-01' + INTERVAL k.n * 100 DAY, 1 + k.n / 7 FROM (SELECT 'G' AS name UNION ALL SELECT 'g' UNION ALL SELECT 'é' UNION ALL SELECT 'R') r JOIN rental.numbers k ON k.n <= 20`,
    `INSERT INTO rental.rental SELECT n, '2024-05-01' + INTERVAL n SECOND + INTERVAL n MICROSECOND, 1 + n % ${counts.inventory}, 1 + ${some('n', 7919, counts.customer)},
       IF(n % 11 = 0, NULL, '2024-05-03' + INTERVAL n SECOND), 1 + n % ${counts.staff} FROM ${upTo(counts.rental)}`,
    `INSERT INTO rental.payment SELECT n, IF(n % 13 = 0, NULL, 1 + n % ${counts.rental}), 1 + ${some('n', 7919, counts.customer)}, 0.99 + n % 9, '2024-05-02' + INTERVAL n SECOND FROM ${upTo(counts.payment)}`,
    `INSERT INTO rental.account SELECT n, CONCAT('Account ', n), ${openingBalance} FROM ${upTo(accountCount)}`,
    `INSERT INTO rental.audit SELECT '2024-05-01' + INTERVAL n % 50 SECOND, CONCAT('said ', n % 40, ' ') FROM ${upTo(counts.audit)}`,
    'DROP TABLE rental.numbers',
  ];
}
