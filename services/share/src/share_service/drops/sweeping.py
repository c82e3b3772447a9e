"""All sweeps of this service: those of shares, of their items, and of drop-offs."""

from common.sweeping import drain
from share_service.context import Context
from share_service.drops.owning import FORGOTTEN
from share_service.sending import looking

SWEEPS = (*looking.SWEEPS, FORGOTTEN)


async def sweep(context: Context) -> None:
    """Run them all."""
    await drain(context, SWEEPS)
