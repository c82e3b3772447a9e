"""The sweep of the whole service."""

from chat_service.context import Context
from chat_service.inbox.letters import count_forgettable, forget_sends
from chat_service.rooms import purging
from common.sweeping import Sweep, drain

SWEEPS = (*purging.SWEEPS, Sweep("sends to forget", forget_sends, count_forgettable))


async def purge(context: Context) -> None:
    """Do everything that waits for a sweep. Two sweeps may run at once."""
    await purging.expire_messages(context)
    await drain(context, SWEEPS)
