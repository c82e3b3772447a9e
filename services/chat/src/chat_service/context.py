"""What every operation works with."""

from dataclasses import dataclass

from chat_service.accounts import Accounts
from chat_service.filters import Texts
from chat_service.rooms.model import Bounds
from chat_service.rooms.passwords import RoomPasswords
from chat_service.rooms.states import RoomStates
from chat_service.streams import Streams
from chat_service.streams.lists import MessageLists
from common.db import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that operations are made of; one for each process."""

    db: Database
    streams: Streams
    states: RoomStates
    lists: MessageLists
    passwords: RoomPasswords
    accounts: Accounts
    texts: Texts
    bounds: Bounds
