"""Bringing accounts, rooms and direct messages in, by use cases of the services. It can be killed and repeated."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from auth_service.accounts.importing import Names, import_account
from chat_service.bounds import Bounds
from chat_service.context import Context
from chat_service.inbox.importing import import_messages
from chat_service.inbox.model import ForeignMessage
from chat_service.rooms.importing import ForeignMember, ForeignRoom, import_room
from common.db import Database
from common.errors import Conflict, InvalidInput
from deploy.importing.mirage import NAME, FoundMessage, FoundRoom, Mirage
from deploy.importing.model import printable

BATCH = 500


@dataclass(slots=True)
class PeopleReport:
    """The result so far: what is new, and what somebody has to know of."""

    accounts: int = 0
    rooms: int = 0
    members: int = 0
    """Members of rooms that were imported before."""
    messages: int = 0
    left_out: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    """A line for each thing that is not here as it was there."""

    def leave_out(self, what: str, reason: str) -> None:
        self.left_out.append(printable(f"{what}: {reason}"))

    def tell(self, what: str, change: str) -> None:
        self.changed.append(printable(f"{what}: {change}"))


@dataclass(frozen=True, slots=True)
class House:
    """The parts of this system that people come into."""

    accounts: Database
    chat: Context
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Person:
    """The account here of somebody who comes."""

    id: UUID
    name: str


People = dict[str, Person]
"""Those who have an account here, by their names there."""


async def bring_in(mirage: Mirage, house: House, *, write: bool, told: Callable[[PeopleReport], None]) -> PeopleReport:
    """Import all that is new, or without `write` only see what that would do. `told` hears now and then."""
    report = PeopleReport()
    people = await _bring_accounts(mirage, house, report, write=write, told=told)
    for room in mirage.rooms():
        await _bring_room(room, people, house, report, write=write)
    told(report)
    for batch in _batches(mirage.messages()):
        await _bring_messages(batch, people, house, report, write=write)
        told(report)
    return report


async def _bring_accounts(
    mirage: Mirage, house: House, report: PeopleReport, *, write: bool, told: Callable[[PeopleReport], None]
) -> People:
    people: People = {}
    free = Names(NAME)
    for number, foreign in enumerate(mirage.accounts(), 1):
        what = f"account {foreign.name}"
        try:
            taken = await import_account(house.accounts, foreign, free, source=NAME, write=write)
        except (Conflict, InvalidInput) as error:
            report.leave_out(what, error.message)
            continue
        if taken.account_id is None:
            continue
        people[foreign.name] = Person(taken.account_id, taken.name)
        report.accounts += taken.is_new
        if taken.is_new and taken.name != foreign.name:
            report.tell(what, f"is {taken.name} here")
        if not taken.has_email:
            report.tell(what, "has no e-mail address here, because another account has it, or it is none")
        if not taken.has_password:
            report.tell(what, "needs a link for a new password")
        if number % BATCH == 0:
            told(report)
    return people


async def _bring_room(room: FoundRoom, people: People, house: House, report: PeopleReport, *, write: bool) -> None:
    what = f"room {room.name}"
    members = {
        person.id: ForeignMember(member.origin, person.id, person.name, member.joined_at)
        for member in room.members
        if (person := people.get(member.username))
    }
    foreign = ForeignRoom(
        room.origin, room.name, room.is_private, room.password_digest, room.created_at, list(members.values())
    )
    try:
        made = await import_room(house.chat, foreign, house.bounds, source=NAME, write=write)
    except (Conflict, InvalidInput) as error:
        report.leave_out(what, error.message)
        return
    if made.name:
        report.rooms += 1
    else:
        report.members += made.members
    if made.name not in ("", room.name):
        report.tell(what, f"is {made.name} here")
    if not made.has_password:
        report.tell(what, "has no password here, and only invitations open it")
    if made.surplus:
        report.leave_out(what, f"{made.surplus} members have no place in it")


async def _bring_messages(
    batch: list[FoundMessage], people: People, house: House, report: PeopleReport, *, write: bool
) -> None:
    known: list[ForeignMessage] = []
    for message in batch:
        sender, recipient = people.get(message.sender), people.get(message.recipient)
        if sender and recipient:
            known.append(ForeignMessage(message.origin, sender.id, recipient.id, message.text, message.created_at))
        else:
            report.leave_out(_message(message), "one of the two has no account here")
    done = await import_messages(house.chat, known, source=NAME, write=write)
    report.messages += done.new
    described = {message.origin: _message(message) for message in batch}
    for message, reason in done.refused:
        report.leave_out(described[message.origin], reason)


def _message(message: FoundMessage) -> str:
    return f"message from {message.sender} to {message.recipient} of {message.created_at:%Y-%m-%d %H:%M:%S}"


def _batches(found: Iterable[FoundMessage]) -> Iterator[list[FoundMessage]]:
    waiting = iter(found)
    while batch := list(islice(waiting, BATCH)):
        yield batch
