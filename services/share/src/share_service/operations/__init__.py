"""The use cases of the share service. They run in the caller's transaction and never commit."""

from share_service.downloads.redeeming import Admission, admit, look_up, pages_named, redeem_file, redeem_text
from share_service.shares.making import share_file, share_text
from share_service.shares.owning import (
    Changes,
    NewShare,
    adopt_share,
    edit_share,
    end_share,
    end_shares_of_files,
    end_shares_of_owner,
    list_links,
    list_shares,
    revoke_shares,
    see_share,
    share_again,
)
from share_service.shares.sweeping import claim_releases, end_shares, finish_release, purge

__all__ = [
    "Admission",
    "Changes",
    "NewShare",
    "admit",
    "adopt_share",
    "claim_releases",
    "edit_share",
    "end_share",
    "end_shares",
    "end_shares_of_files",
    "end_shares_of_owner",
    "finish_release",
    "list_links",
    "list_shares",
    "look_up",
    "pages_named",
    "purge",
    "redeem_file",
    "redeem_text",
    "revoke_shares",
    "see_share",
    "share_again",
    "share_file",
    "share_text",
]
