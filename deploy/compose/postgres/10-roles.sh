#!/bin/sh
# A role a service: each makes and owns the schema of its own name, and may not read another's.
set -eu
for service in intake triage sla notify desk; do
  name=$(printf '%s' "$service" | tr '[:lower:]' '[:upper:]')
  eval "password=\$${name}_DATABASE_PASSWORD"
  psql --set ON_ERROR_STOP=1 --set service="$service" --set password="$password" --set database="$POSTGRES_DB" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 50 PASSWORD :'password';
GRANT CONNECT, CREATE ON DATABASE :"database" TO :"service";
SQL
done
# The role of `jiesu retention` and `jiesu erase`, which take personal data out of every schema: it may what the owners may.
psql --set ON_ERROR_STOP=1 --set password="$KEEPER_DATABASE_PASSWORD" --set database="$POSTGRES_DB" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE keeper LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT CONNECTION LIMIT 20 PASSWORD :'password';
GRANT CONNECT ON DATABASE :"database" TO keeper;
GRANT intake, triage, sla, notify, desk TO keeper;
SQL
psql --set ON_ERROR_STOP=1 --set database="$POSTGRES_DB" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
