"""Submit complaints to Jiesu, act on cases, and read their events.

`jiesu_client.producers` and `jiesu_client.subscriptions` need the extra `kafka`.
"""

from jiesu_client.cases import ActionResult, CasesClient
from jiesu_client.http_retries import Retries
from jiesu_client.intake import IntakeClient, Registration
from jiesu_client.problems import Fault, JiesuError, ProblemError, UnavailableError
from jiesu_client.signatures import SigningKey, is_webhook_valid, webhook_headers
from shared.contracts.actions import ActionData
from shared.contracts.complaint import Complainant, Submission

__all__ = [
    "ActionData",
    "ActionResult",
    "CasesClient",
    "Complainant",
    "Fault",
    "IntakeClient",
    "JiesuError",
    "ProblemError",
    "Registration",
    "Retries",
    "SigningKey",
    "Submission",
    "UnavailableError",
    "is_webhook_valid",
    "webhook_headers",
]
