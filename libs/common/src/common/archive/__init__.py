"""Archives: several contents as one zip file that is never stored.

Its contents are stored in it as they are, so its length and the place of every byte are known beforehand, and any range
of it can be made by itself. `names` makes names unique, `records` has the format, and `plan` says what is where.
"""

from common.archive.plan import SUMS_NAME, Archive, Member, Piece

__all__ = ["SUMS_NAME", "Archive", "Member", "Piece"]
