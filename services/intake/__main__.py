"""Run intake."""

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.runtime.service import run_service


def main() -> None:
    """Serve until told to stop; settings come from the environment."""
    run_service(lambda: build(IntakeSettings()))


if __name__ == "__main__":
    main()
