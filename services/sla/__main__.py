"""Runs the service sla."""

from services.sla.bootstrap import build
from services.sla.config import SlaSettings
from shared.runtime.service import run_service


def main() -> None:
    """Serve until SIGTERM; settings come from the environment."""
    run_service(lambda: build(SlaSettings()))


if __name__ == "__main__":
    main()
