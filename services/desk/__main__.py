"""Runs the service desk."""

from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from shared.runtime.service import run_service


def main() -> None:
    """Serve until SIGTERM; settings come from the environment."""
    run_service(lambda: build(DeskSettings()))


if __name__ == "__main__":
    main()
