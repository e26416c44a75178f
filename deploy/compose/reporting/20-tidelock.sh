#!/usr/bin/env bash
# What Tidelock's user needs at a target (docs/security.md).
set -euo pipefail
psql --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/tidelock-password`
CREATE ROLE tidelock LOGIN PASSWORD :'password';
GRANT CREATE ON DATABASE reporting TO tidelock;
GRANT USAGE ON SCHEMA shop TO tidelock;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA shop TO tidelock;
GRANT SET ON PARAMETER session_replication_role TO tidelock;
SQL
