"""The error of a file that cannot be read as a whole."""

from services.intake.domain.submission_faults import SubmissionFault


class UnusableFileError(ValueError):
    """A file that cannot be read as a table; `fault` names field, rule and remedy."""

    def __init__(self, rule: str, remedy: str, field: str = "file") -> None:
        super().__init__(f"{rule}: {remedy}")
        self.fault = SubmissionFault(field, rule, remedy)
