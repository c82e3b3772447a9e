"""The answers that the hub needs from the rest of the service: rooms, and the accounts of credentials."""

from dataclasses import dataclass

from chat_service.live import ReadRoom, RoomView
from chat_service.live.hub import Identify
from chat_service.rooms.model import RoomNotFound, RoomState
from chat_service.rooms.states import RoomStates
from chat_service.streams import RoomTerms
from common import clock
from common.identities import Identities
from common.identity import CredentialError, Identity
from common.rights import Action


@dataclass(frozen=True, slots=True)
class View:
    """A room's state as the hub sees it (a `RoomView`)."""

    state: RoomState

    @property
    def version(self) -> int:
        return self.state.room.version

    @property
    def terms(self) -> RoomTerms:
        return self.state.room.terms

    def keeps(self, before: RoomView) -> bool:
        return isinstance(before, View) and self.state.keeps(before.state)

    def may_hear(self, identity: Identity) -> bool:
        return self.state.may(Action.READ, identity)

    def may_write(self, identity: Identity) -> bool:
        member = self.state.members.get(identity.account_id)
        is_muted = member is not None and member.is_muted(clock.now())
        return not is_muted and self.state.may(Action.WRITE, identity)


def room_reader(states: RoomStates) -> ReadRoom:
    """The hub's way to read rooms."""

    async def read(room_id: int, version: int | None) -> View | None:
        try:
            return View(await (states.fresh(room_id) if version is None else states.at_least(room_id, version)))
        except RoomNotFound:
            return None

    return read


def identifier(identities: Identities) -> Identify:
    """The hub's way to find connections that were signed out."""

    async def identify(name: str) -> Identity | None:
        try:
            return await identities.of_name(name)
        except CredentialError:
            return None

    return identify
