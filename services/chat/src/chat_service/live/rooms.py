"""What the live part asks of the rest: who may hear what is said in a room, and who still is signed in."""

from dataclasses import dataclass

from chat_service.live import ReadRoom
from chat_service.live.hub import IsValid
from chat_service.rooms.model import RoomNotFound, RoomState
from chat_service.rooms.states import RoomStates, terms_of
from chat_service.streams import RoomTerms
from common import clock
from common.identities import Identities
from common.identity import CredentialError, Identity
from common.rights import Action, permitted


@dataclass(frozen=True, slots=True)
class View:
    """A room's state, as the hub sees it."""

    state: RoomState

    @property
    def version(self) -> int:
        return self.state.room.version

    @property
    def terms(self) -> RoomTerms:
        return terms_of(self.state.room)

    def may_hear(self, identity: Identity) -> bool:
        return permitted(Action.READ, self.state.actor(identity), self.state.room.owner)

    def may_write(self, identity: Identity) -> bool:
        member = self.state.member(identity.account_id)
        is_muted = member is not None and member.is_muted(clock.now())
        return not is_muted and permitted(Action.WRITE, self.state.actor(identity), self.state.room.owner)


def room_reader(states: RoomStates) -> ReadRoom:
    """How the hub reads rooms."""

    async def read(room_id: int, version: int | None) -> View | None:
        try:
            return View(await (states.fresh(room_id) if version is None else states.at_least(room_id, version)))
        except RoomNotFound:
            return None

    return read


def credential_check(identities: Identities) -> IsValid:
    """How the hub learns who was signed out."""

    async def is_valid(name: str) -> bool:
        try:
            await identities.of_name(name)
        except CredentialError:
            return False
        return True

    return is_valid
