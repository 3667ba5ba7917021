"""The text of `.env.example`: the variables that the compose file requires, then every setting with its default."""

from itertools import groupby

from cli.reference import declared
from shared.runtime.process.setting_faults import variables_text

_REQUIRED_VARIABLES = """\
# Copy to .env, which git ignores. Written by `make docs`.
#
# What docker-compose.yml needs: it stops with a message that names the variable when one is empty.
# Passwords of the database are part of addresses: letters and digits only (`openssl rand -hex 24`).
# Other secrets: `openssl rand -base64 32`; a sealing key is `k1:` and such a value.
POSTGRES_PASSWORD=
INTAKE_DATABASE_PASSWORD=
TRIAGE_DATABASE_PASSWORD=
SLA_DATABASE_PASSWORD=
NOTIFY_DATABASE_PASSWORD=
DESK_DATABASE_PASSWORD=
KEEPER_DATABASE_PASSWORD=
GRAFANA_ADMIN_PASSWORD=
JIESU_SEALING_KEYS=
JIESU_PSEUDONYM_KEY=
JIESU_FOLLOW_KEY=
JIESU_SMS_TOKEN=
JIESU_SMS_RECEIPT_SECRET=

# Where the proxy serves sla's page for complainants (/f), such as https://complaints.example.org/f.
JIESU_FOLLOW_URL=

# Only with a mail server of your own instead of the sink.
JIESU_SMTP_HOST=
JIESU_SMTP_PORT=
JIESU_SMTP_SECURITY=
JIESU_SMTP_USERNAME=
JIESU_SMTP_PASSWORD=
JIESU_SMTP_SENDER=
# Only with a text message gateway of your own instead of the sink.
JIESU_SMS_URL=

# Only with an identity provider (docs/how-to/sign-in.md): its issuer, the desk's public address, the secret of the desk's client.
JIESU_OIDC_ISSUER=
JIESU_OIDC_AUDIENCE=jiesu
JIESU_OIDC_JWKS_URL=
JIESU_OIDC_ALGORITHMS=RS256,PS256,ES256
JIESU_OIDC_CLOCK_SKEW=30
JIESU_OIDC_KEYS_SECONDS=600
JIESU_OIDC_PERSON_CLAIM=preferred_username
JIESU_OIDC_REQUIRED_CLAIMS=
JIESU_DESK_URL=
JIESU_DESK_CLIENT_ID=jiesu-desk
JIESU_DESK_CLIENT_SECRET=

# The image that ours is built on: a mirror's name, or one with its digest.
JIESU_BASE_IMAGE=python:3.11-slim-bookworm
# The organisation file on this machine.
JIESU_ORGANISATION_FILE=./deploy/compose/organisation.yaml
# Ports on this machine's loopback; put a proxy with TLS in front of them.
INTAKE_PORT=8001
SLA_PORT=8003
NOTIFY_PORT=8004
DESK_PORT=8005
PROMETHEUS_PORT=9090
ALERTMANAGER_PORT=9093
GRAFANA_PORT=3000

# All other settings. On a machine without containers they may be set here; with docker-compose.yml they go into settings.env
# beside it, which every service reads: no secrets there.
"""


_IMAGE_VERSION = "JIESU_VERSION"
"""Only docker-compose.yml reads it."""
_LOCAL_PORTS = "JIESU_UP_PORTS"
"""Only `jiesu up` reads it, and hands it on to the services with the other settings."""


def known_variables() -> str:
    """The names of all variables, by which services find a misspelt one."""
    return variables_text(
        [*_required_names(), _IMAGE_VERSION, _LOCAL_PORTS, *(setting.variable for setting in declared.declared_settings())]
    )


def env_example() -> str:
    """The whole file; settings are commented out and show their default."""
    parts = [_REQUIRED_VARIABLES]
    required = _required_names()
    for owner, settings in groupby(declared.settings_by_owner(), key=lambda setting: setting.owner):
        lines = [f"# --- {owner}: every setting and its default"]
        for setting in settings:
            prefix = "see above: " if setting.variable in required else ""
            lines += [f"# {prefix}{setting.help}", f"# {setting.variable}={setting.default}"]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _required_names() -> set[str]:
    return {line.partition("=")[0] for line in _REQUIRED_VARIABLES.splitlines() if line and not line.startswith("#")}
