#!/usr/bin/env bash
# The application of the compose file: orders come in, some are changed, few are cancelled.
set -euo pipefail
export PGPASSWORD
PGPASSWORD="$(cat /run/secrets/postgres-password)"
trap 'exit 0' TERM INT
while :; do
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'SQL'
INSERT INTO shop.orders (customer_id, sku, quantity)
SELECT 1 + floor(random() * 500), 'SKU-' || 1 + floor(random() * 100), 1 + floor(random() * 9) FROM generate_series(1, 3);
UPDATE shop.orders SET quantity = quantity + 1 WHERE id = (SELECT max(id) - 5 FROM shop.orders);
DELETE FROM shop.orders WHERE id = (SELECT max(id) - 20 FROM shop.orders);
SQL
  sleep 0.5 &
  wait $!
done
