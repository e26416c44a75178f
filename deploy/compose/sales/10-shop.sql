CREATE SCHEMA shop;
CREATE TABLE shop.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text NOT NULL);
CREATE TABLE shop.products (sku text PRIMARY KEY, name text NOT NULL, price numeric(10, 2) NOT NULL);
CREATE TABLE shop.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES shop.customers,
  sku text NOT NULL REFERENCES shop.products,
  quantity int NOT NULL CHECK (quantity > 0),
  placed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO shop.customers (name, email) SELECT 'Customer ' || n, 'customer' || n || '@example.org' FROM generate_series(1, 500) n;
INSERT INTO shop.products SELECT 'SKU-' || n, 'Product ' || n, n * 1.25 FROM generate_series(1, 100) n;
