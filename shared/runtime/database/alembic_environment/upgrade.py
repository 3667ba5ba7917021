"""Runs alembic for a folder of revisions."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, folder: Path, schema: str, revision: str = "head") -> None:
    """Run the revisions in `folder` that the schema lacks, up to `revision`, on this connection."""
    config = Config()
    # Alembic's options pass through configparser, which takes a % in a path for an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    # The default splits at blanks, and a checkout may lie in a path with spaces.
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, revision)
