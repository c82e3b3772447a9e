"""The use cases of the share service. They run in the caller's transaction and never commit."""

from share_service.operations.create import share_file, share_text
from share_service.operations.expire import claim_releases, end_shares, finish_release, purge
from share_service.operations.redeem import Admission, admit, look_up, redeem_file, redeem_text

__all__ = [
    "Admission",
    "admit",
    "claim_releases",
    "end_shares",
    "finish_release",
    "look_up",
    "purge",
    "redeem_file",
    "redeem_text",
    "share_file",
    "share_text",
]
