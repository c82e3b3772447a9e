"""Sums over all shares, in the words of the administration."""

from datetime import datetime
from typing import Any

from common.dialects.filecodebox import ZONE
from share_service.administration.model import Totals


def midnight(now: datetime) -> datetime:
    """The beginning of this day in the zone of the dialect."""
    return now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def health(totals: Totals) -> dict[str, int]:
    """The eight counts by the health of shares."""
    attention = totals.expired + totals.expiring_soon
    return {
        "healthAttentionCount": attention,
        "healthDangerCount": totals.expired,
        "healthWarningCount": totals.expiring_soon,
        "expiringSoonCount": totals.expiring_soon,
        "storageIssueCount": 0,
        "neverRetrievedCount": totals.never_retrieved,
        "healthyCount": totals.shares - attention,
        "permanentCount": totals.permanent,
    }


def summary(totals: Totals) -> dict[str, Any]:
    """The sums beside a list."""
    return {
        "totalFiles": totals.shares,
        "activeCount": totals.active,
        "expiredCount": totals.expired,
        "textCount": totals.texts,
        "fileCount": totals.files,
        "chunkedCount": 0,
        "usedCount": totals.downloads,
        "storageUsed": totals.size,
        **health(totals),
    }
