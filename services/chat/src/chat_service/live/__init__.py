"""Events of rooms as they happen, for those who are connected to this process.

One task (`hub`) reads what happens in all rooms; each room somebody listens to is a `channel`, which keeps the last
events once, as finished JSON, and each `subscription` is but a place in it. So an event is made once however many
listen, and a listener that does not read holds no memory of its own and costs nobody but itself the connection.

Who may listen is asked when somebody connects, and again before an event is handed out that was made under a later
version of the room than is known here.
"""

from chat_service.live.channel import QUEUE, RoomView
from chat_service.live.ending import Close, End, Ended
from chat_service.live.hub import Hub, ReadRoom
from chat_service.live.running import Live
from chat_service.live.subscription import Frame, Listener, Subscription
from chat_service.live.tickets import Ticket, Tickets

__all__ = [
    "QUEUE",
    "Close",
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
]
