/**
 * The sample database: a chain of shops that lends films, as migrations meet such databases. 20 tables, two views, triggers, a routine; enum, set, JSON,
 * blobs, geometry, bits, UUIDs, full text; composite and natural keys, cascades, a table without a key.
 */
export const rentalTables: readonly string[] = [
  ...['language', 'country', 'city', 'address', 'store', 'staff', 'customer', 'category', 'actor', 'film'],
  ...[
    'film_actor',
    'film_category',
    'film_still',
    'inventory',
    'price',
    'rental',
    'payment',
    'account',
    'journal',
    'audit',
  ],
];

export const rentalSchemaSql = `
CREATE DATABASE rental CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;
USE rental;
CREATE TABLE language (code char(2) CHARACTER SET ascii COLLATE ascii_general_ci PRIMARY KEY, name varchar(40) NOT NULL) COMMENT='By ISO 639-1';
CREATE TABLE country (id smallint unsigned AUTO_INCREMENT PRIMARY KEY, name varchar(60) NOT NULL UNIQUE);
CREATE TABLE city (id int unsigned AUTO_INCREMENT PRIMARY KEY, country_id smallint unsigned NOT NULL, name varchar(80) NOT NULL, KEY (country_id, name(10)),
  CONSTRAINT city_country FOREIGN KEY (country_id) REFERENCES country (id) ON UPDATE CASCADE);
CREATE TABLE address (id int unsigned AUTO_INCREMENT PRIMARY KEY, street varchar(120) NOT NULL, district varchar(40) NOT NULL DEFAULT '', city_id int unsigned NOT NULL,
  postcode varchar(12), place point NOT NULL, SPATIAL KEY (place), CONSTRAINT address_city FOREIGN KEY (city_id) REFERENCES city (id));
CREATE TABLE store (id tinyint unsigned AUTO_INCREMENT PRIMARY KEY, address_id int unsigned NOT NULL UNIQUE, opens time NOT NULL DEFAULT '09:00:00', closes time(3) NOT NULL DEFAULT '22:30:00.000',
  open_days bit(7) NOT NULL DEFAULT b'1111110', CONSTRAINT store_address FOREIGN KEY (address_id) REFERENCES address (id));
CREATE TABLE staff (id smallint unsigned AUTO_INCREMENT PRIMARY KEY, store_id tinyint unsigned NOT NULL, name varchar(80) NOT NULL, active tinyint(1) NOT NULL DEFAULT 1,
  secret varbinary(32), picture mediumblob, salary decimal(9,2) NOT NULL DEFAULT 0.00, CHECK (salary >= 0), CONSTRAINT staff_store FOREIGN KEY (store_id) REFERENCES store (id));
CREATE TABLE customer (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, store_id tinyint unsigned NOT NULL, address_id int unsigned, first_name varchar(45) NOT NULL, last_name varchar(45) NOT NULL,
  email varchar(120) NOT NULL COMMENT 'In any case', token binary(16) NOT NULL, preferences json, points int NOT NULL DEFAULT 0, created datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  changed timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), UNIQUE KEY (email), KEY by_name (last_name, first_name),
  CONSTRAINT customer_store FOREIGN KEY (store_id) REFERENCES store (id), CONSTRAINT customer_address FOREIGN KEY (address_id) REFERENCES address (id) ON DELETE SET NULL);
CREATE TABLE category (id tinyint unsigned AUTO_INCREMENT PRIMARY KEY, name varchar(30) NOT NULL UNIQUE);
CREATE TABLE actor (id int unsigned AUTO_INCREMENT PRIMARY KEY, first_name varchar(45) NOT NULL, last_name varchar(45) NOT NULL, born date, KEY (last_name));
CREATE TABLE film (id int unsigned AUTO_INCREMENT PRIMARY KEY, title varchar(120) NOT NULL, description text, released year, language char(2) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  minutes smallint unsigned, rate decimal(4,2) NOT NULL DEFAULT 4.99, week_rate decimal(6,2) AS (rate * 7) STORED, score float, worth double,
  rating enum('G','PG','PG-13','R','NC-17') DEFAULT 'G', features set('Trailers','Commentaries','Deleted Scenes','Behind the Scenes'), details json,
  FULLTEXT KEY words (title, description), KEY (title(12)), CHECK (minutes > 0), CONSTRAINT film_language FOREIGN KEY (language) REFERENCES language (code));
CREATE TABLE film_actor (film_id int unsigned NOT NULL, actor_id int unsigned NOT NULL, role varchar(60), PRIMARY KEY (film_id, actor_id),
  CONSTRAINT film_actor_film FOREIGN KEY (film_id) REFERENCES film (id) ON DELETE CASCADE, CONSTRAINT film_actor_actor FOREIGN KEY (actor_id) REFERENCES actor (id) ON DELETE CASCADE);
CREATE TABLE film_category (film_id int unsigned NOT NULL, category_id tinyint unsigned NOT NULL, PRIMARY KEY (film_id, category_id),
  CONSTRAINT film_category_film FOREIGN KEY (film_id) REFERENCES film (id) ON DELETE CASCADE, CONSTRAINT film_category_category FOREIGN KEY (category_id) REFERENCES category (id));
CREATE TABLE film_still (film_id int unsigned NOT NULL, number smallint NOT NULL, image longblob NOT NULL, note tinytext, PRIMARY KEY (film_id, number),
  CONSTRAINT film_still_film FOREIGN KEY (film_id) REFERENCES film (id) ON DELETE CASCADE);
CREATE TABLE inventory (id int unsigned AUTO_INCREMENT PRIMARY KEY, film_id int unsigned NOT NULL, store_id tinyint unsigned NOT NULL, lent tinyint(1) NOT NULL DEFAULT 0, KEY (store_id, film_id),
  CONSTRAINT inventory_film FOREIGN KEY (film_id) REFERENCES film (id), CONSTRAINT inventory_store FOREIGN KEY (store_id) REFERENCES store (id));
CREATE TABLE price (rating varchar(5) CHARACTER SET latin1 COLLATE latin1_general_cs NOT NULL, valid_from date NOT NULL, factor decimal(10,6) NOT NULL, PRIMARY KEY (rating, valid_from));
CREATE TABLE rental (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, rented datetime(6) NOT NULL, inventory_id int unsigned NOT NULL, customer_id bigint unsigned NOT NULL, returned datetime(6),
  staff_id smallint unsigned NOT NULL, UNIQUE KEY once (inventory_id, rented), KEY (customer_id, rented DESC),
  CONSTRAINT rental_inventory FOREIGN KEY (inventory_id) REFERENCES inventory (id), CONSTRAINT rental_customer FOREIGN KEY (customer_id) REFERENCES customer (id), CONSTRAINT rental_staff FOREIGN KEY (staff_id) REFERENCES staff (id));
CREATE TABLE payment (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, rental_id bigint unsigned, customer_id bigint unsigned NOT NULL, amount decimal(8,2) NOT NULL, paid timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  CHECK (amount <> 0), CONSTRAINT payment_rental FOREIGN KEY (rental_id) REFERENCES rental (id) ON DELETE SET NULL, CONSTRAINT payment_customer FOREIGN KEY (customer_id) REFERENCES customer (id));
CREATE TABLE account (id int unsigned PRIMARY KEY, owner varchar(60) NOT NULL, balance decimal(14,2) NOT NULL);
CREATE TABLE journal (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, kind varchar(40) NOT NULL, at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));
CREATE TABLE audit (at datetime(3) NOT NULL, said varchar(200) COLLATE utf8mb4_bin NOT NULL);
CREATE VIEW lent_out AS SELECT r.id, f.title, c.last_name FROM rental r JOIN inventory i ON i.id = r.inventory_id JOIN film f ON f.id = i.film_id JOIN customer c ON c.id = r.customer_id WHERE r.returned IS NULL;
CREATE VIEW earned AS SELECT i.store_id, SUM(p.amount) AS amount FROM payment p JOIN rental r ON r.id = p.rental_id JOIN inventory i ON i.id = r.inventory_id GROUP BY i.store_id;
CREATE FUNCTION books() RETURNS decimal(16,2) READS SQL DATA RETURN (SELECT SUM(balance) FROM account);
`;

/** Made behind the rows: they are for what the application does. */
export const rentalTriggersSql = `
CREATE TRIGGER rental.rental_lends AFTER INSERT ON rental.rental FOR EACH ROW UPDATE rental.inventory SET lent = 1 WHERE id = NEW.inventory_id;
CREATE TRIGGER rental.rental_returns AFTER UPDATE ON rental.rental FOR EACH ROW UPDATE rental.inventory SET lent = NEW.returned IS NULL WHERE id = NEW.inventory_id;
`;

export const accountCount = 500;
export const openingBalance = 2_000;
/** What all accounts have together, at every moment, at both sides. */
export const booksTotal = accountCount * openingBalance;
