"""Looks up known vulnerabilities of the locked packages with pip-audit: `python -m deploy.supply.audit`.

Exit status 0: none is known. 1: some are. 2: the advisory service cannot be reached or does not know the packages, so that nothing
follows from the silence. pip-audit alone ends with 1 in the first of these cases, and with 0 in the second.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
LOCK = PROJECT / "requirements.lock"
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2
_SECONDS = 15
"""For one request."""
_REMEDY = "check the network and the proxy settings, or ask another service: make audit ARGS='--vulnerability-service osv'"


@dataclass(frozen=True)
class AuditResult:
    """Exit status and the lines that explain it."""

    status: int
    lines: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the audit and print its result."""
    parser = argparse.ArgumentParser(prog="make audit", description="Other options are handed to pip-audit.")
    parser.add_argument("--requirements", type=Path, default=LOCK, help="locked requirements with hashes")
    options, others = parser.parse_known_args(arguments)
    result = audit(options.requirements, others)
    (sys.stdout if result.status == CLEAN else sys.stderr).write("".join(f"{line}\n" for line in result.lines))
    return result.status


def audit(requirements: Path, options: Sequence[str] = ()) -> AuditResult:
    """Look up every package of a locked requirements file."""
    # Without pip: the lock is complete, nothing has to be resolved or downloaded.
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", str(requirements)]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", str(_SECONDS), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return read_report(done.stdout, done.stderr, requirements.name)


def read_report(output: str, errors: str, source: str) -> AuditResult:
    """Interpret pip-audit's JSON; without JSON it has failed, whatever its exit status."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "no reason given")
        return AuditResult(UNKNOWN, (f"Nothing was audited: the advisory service cannot be reached; {_REMEDY}.", f"pip-audit: {reason}"))
    found = [
        f"{package['name']} {package['version']}: {fault['id']}, {_fixed_in(fault)}"
        for package in packages
        for fault in package.get("vulns", ())
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    lines = [f"{len(found)} known vulnerabilities in {source}:", *found] if found else []
    if unknown:
        lines.append(
            f"{len(unknown)} of {len(packages)} packages were not audited: the advisory service does not know them "
            f"({', '.join(unknown[:5])}{', …' if len(unknown) > 5 else ''}); {_REMEDY}."  # noqa: PLR2004 - enough to recognise them
        )
    if found:
        return AuditResult(VULNERABLE, tuple(lines))
    if unknown or not packages:
        return AuditResult(UNKNOWN, tuple(lines) or (f"{source} names no package.",))
    return AuditResult(CLEAN, (f"No known vulnerability in the {len(packages)} packages of {source}.",))


def _fixed_in(fault: dict[str, Any]) -> str:
    versions = fault.get("fix_versions")
    return f"fixed in {', '.join(versions)}" if versions else "no fixed version"


if __name__ == "__main__":
    sys.exit(main())
