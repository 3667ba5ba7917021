"""Runs the service notify."""

from services.notify.bootstrap import build
from services.notify.config import NotifySettings
from shared.runtime.service import run_service


def main() -> None:
    """Serve until SIGTERM; settings come from the environment."""
    run_service(lambda: build(NotifySettings()))


if __name__ == "__main__":
    main()
