#!/usr/bin/env bash
# What Tidelock's user needs at a source (docs/security.md).
set -euo pipefail
psql --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/tidelock-password`
CREATE ROLE shop_owner NOLOGIN;
ALTER SCHEMA shop OWNER TO shop_owner;
ALTER TABLE shop.customers OWNER TO shop_owner;
ALTER TABLE shop.products OWNER TO shop_owner;
ALTER TABLE shop.orders OWNER TO shop_owner;
CREATE ROLE tidelock LOGIN REPLICATION PASSWORD :'password';
GRANT CREATE ON DATABASE sales TO tidelock;
GRANT shop_owner TO tidelock;
SQL
