"""Runs the triage service."""

from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.runtime.service import run_service


def main() -> None:
    """Run until SIGTERM or SIGINT; settings come from the environment."""
    run_service(lambda: build(TriageSettings()))


if __name__ == "__main__":
    main()
