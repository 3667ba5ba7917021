"""Measures the review queue, and the classifier by the decisions of people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from services.sla import metrics
from services.sla.domain.lifecycle.reviews.judgement import calibration_error
from services.sla.storage.reviews import review_figures
from services.sla.storage.reviews.review_figures import DecidedReview
from shared.runtime.database.database import Transaction

GAUGES: Final = (metrics.REVIEWS_OPEN, metrics.REVIEWS_OLDEST, metrics.REVIEWS_AGREED, metrics.REVIEWS_CALIBRATION)
_JUDGED: Final = timedelta(days=30)


async def set_review_gauges(tx: Transaction, now: datetime) -> None:
    """Set the gauges of the queue, and those of the decisions of the last 30 days of domain time."""
    waiting = await review_figures.count_open(tx)
    numbers: dict[tuple[str, ...], float] = {
        (reason,): waiting[reason].number if reason in waiting else 0 for reason in metrics.REVIEW_REASONS
    }
    metrics.REVIEWS_OPEN.replace(numbers)
    ages = {reason: (now - each.oldest).total_seconds() for reason, each in waiting.items()}
    metrics.REVIEWS_OLDEST.replace({(reason,): max(ages.get(reason, 0.0), 0.0) for reason in metrics.REVIEW_REASONS})
    decided = await review_figures.load_decided(tx, now - _JUDGED)
    metrics.REVIEWS_AGREED.replace(agreement(decided))
    # Of audits only: what is below the procedure's confidence is reviewed in full, and would weigh more than it has.
    error = calibration_error(
        (check["probability"], check["right"]) for review in decided if review.reason == "audit" for check in review.checks
    )
    if error is None:
        metrics.REVIEWS_CALIBRATION.set_no_value()
    else:
        metrics.REVIEWS_CALIBRATION.set(error)


def agreement(decided: Sequence[DecidedReview]) -> dict[tuple[str, ...], float]:
    """Reason → share of the decisions that agree with every first guess; without reasons that no one decided on."""
    shares: dict[tuple[str, ...], float] = {}
    for reason in metrics.REVIEW_REASONS:
        agreed = [review.agreed for review in decided if review.reason == reason]
        if agreed:
            shares[reason,] = sum(agreed) / len(agreed)
    return shares
