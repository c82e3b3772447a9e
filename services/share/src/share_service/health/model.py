"""The abilities that users have, concluded from the states of the system's parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from common.health import OK

States = Mapping[str, str]
"""The states of several things, by their names: `ok`, or the code of an error."""


class Status(StrEnum):
    """The health in one word."""

    OK = "ok"
    DEGRADED = "degraded"
    """Something does not work, but files can be sent or fetched."""
    UNAVAILABLE = "unavailable"
    """Files can be neither sent nor fetched."""


@dataclass(frozen=True, slots=True)
class Health:
    """The health of the system."""

    abilities: States
    """The abilities of users: `sending` and `fetching` files, `accounts`, `rooms`."""
    services: Mapping[str, States]
    """The states of each service's dependencies, by the service's name."""

    @property
    def missing(self) -> list[str]:
        """The abilities that the system does not have at the moment."""
        return [name for name, state in self.abilities.items() if state != OK]

    @property
    def status(self) -> Status:
        missing = self.missing
        if "sending" in missing and "fetching" in missing:
            return Status.UNAVAILABLE
        return Status.DEGRADED if missing else Status.OK


def conclude(services: Mapping[str, States], content: States) -> Health:
    """The health, given the states of all services, and whether upload can store (`sending`) and give out (`fetching`).

    No code can be given or redeemed without what this service itself depends on.
    """
    own = _first_error(services["share"])
    abilities = {
        "sending": own or content["sending"],
        "fetching": own or content["fetching"],
        "accounts": _first_error(services["auth"]) or OK,
        "rooms": _first_error(services["chat"]) or OK,
    }
    return Health(abilities, services)


def _first_error(states: States) -> str | None:
    return next((state for state in states.values() if state != OK), None)
