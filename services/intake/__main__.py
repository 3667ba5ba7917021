"""Runs the intake service."""

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.runtime.service import run_service


def main() -> None:
    """Run until SIGTERM or SIGINT; settings come from the environment."""
    run_service(lambda: build(IntakeSettings()))


if __name__ == "__main__":
    main()
