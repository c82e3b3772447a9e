"""The events of rooms as they happen, for the clients that are connected to this process.

One task (the `hub`) reads the events of all rooms. Each room that somebody listens to has a `channel`, whose `backlog`
keeps the last events once, as finished JSON; a `subscription` is only a place in it. So an event is rendered once for
any number of listeners, and a listener that does not read costs no memory and delays nobody, but is disconnected.

The right to listen is checked when a client connects, and again before each event that was made under a later version
of the room than this process knows.
"""

from chat_service.live.backlog import Frame
from chat_service.live.channel import QUEUE, RoomView
from chat_service.live.counting import ConnectionLimits, TooManyConnections
from chat_service.live.ending import Close, End, Ended
from chat_service.live.hub import Hub, ReadRoom
from chat_service.live.running import Live
from chat_service.live.subscription import Listener, Subscription
from chat_service.live.tickets import Ticket, Tickets

__all__ = [
    "QUEUE",
    "Close",
    "ConnectionLimits",
    "End",
    "Ended",
    "Frame",
    "Hub",
    "Listener",
    "Live",
    "ReadRoom",
    "RoomView",
    "Subscription",
    "Ticket",
    "Tickets",
    "TooManyConnections",
]
