#!/bin/sh
# Runs once, when the database is made. Dashboards log in as `grafana`, which sees the views of the schema grafana and nothing else;
# the migrations give the role kmswatch_grafana its rights.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$GRAFANA_DB_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE kmswatch_grafana NOLOGIN;
CREATE ROLE grafana LOGIN PASSWORD :'password' IN ROLE kmswatch_grafana;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
SQL
