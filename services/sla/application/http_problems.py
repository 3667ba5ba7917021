"""The problem types of sla's HTTP API."""

from shared.runtime.http.problem import HttpProblem, ProblemType

CASE_PARKED = ProblemType("case_parked", 409, "the case is parked")
ACTION_REFUSED = ProblemType("action_refused", 409, "the action is refused")
UNKNOWN_ACTION = ProblemType("unknown_action", 422, "there is no such action")
ROLE_REQUIRED = ProblemType("role_required", 422, "the action cannot be taken")
FORBIDDEN = ProblemType("forbidden", 403, "the action cannot be taken")
_UNKNOWN_CASE = ProblemType("unknown_case", 404, "there is no such case")
UNKNOWN_CLOCK = ProblemType("unknown_clock", 404, "there is no such clock")


def unknown_case() -> HttpProblem:
    """The same response for a case that does not exist and for one of another department."""
    return HttpProblem(_UNKNOWN_CASE, "case: must be the id of a registered case that concerns your department")
