"""Budgets for wrong codes: one for each client address, and one for everybody together.

A guess is counted before the look-up and given back if it was right, so that guesses sent in parallel cannot slip past
the count. A refusal comes before the look-up, so it tells nothing about a code.

While the budget of an address is used up, the address is refused. While everybody's budget is used up, only those
addresses are refused that have guessed wrong lately. Otherwise some strangers with many addresses could keep everybody
from their files. An address without a wrong guess has one left, or as many as its own budget allows if it sends them at
once.

A code that is one of few, such as four digits, could be found within a day at the rate of these budgets. Wrong codes of
its kind have budgets of their own, for a day and as large as a small part of all such codes. People mistype codes, and
many may share an address: so `MISTYPED` wrong codes of an address within the day are not held against it.

Somebody may have 65,536 networks of IPv6, each of which is an address here and would have counters for a day. So all
those in one /48 share a budget of the day, which is asked before their own: when it is used up, they get no counters.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta

from common.addresses import limit_key, site_key
from common.errors import DomainError, RateLimited
from common.limits import Budget, Event, EverybodyRefused, counted_guess
from common.metrics import Counter
from common.policy import Policy
from common.statistics import count
from share_service.context import Context
from share_service.downloads.keys import BadKey
from share_service.shares.model import CodeTaken, ShareEnded, UnknownCode
from share_service.shares.spaces import Space, space_of

WRONG_GUESSES: tuple[type[DomainError], ...] = (UnknownCode, ShareEnded, BadKey, CodeTaken)
"""The answers to wrong codes and keys, and to codes that were chosen and exist, which all count as guesses."""
DAY = timedelta(days=1)
MISTYPED = 2
SITE = 4
"""All addresses in a /48 network have the budgets of a day of so many."""
CODES = Counter("waystation_codes", "Codes that somebody tried, by what came of it.", ["outcome"])


@asynccontextmanager
async def counted_redemption(context: Context, policy: Policy, address: str, code: str) -> AsyncGenerator[None]:
    """Count the block, an attempt to redeem a code, if the code is wrong.

    Raises `RateLimited`, `LimiterUnavailable`.
    """
    key = limit_key(address)
    async with _counted_guess(context, policy, address, code, [(_of_address(context, "guess-address", policy), key)]):
        yield


@asynccontextmanager
async def counted_choice(context: Context, policy: Policy, address: str, code: str | None) -> AsyncGenerator[None]:
    """Count the block, which gives something the code that a sender chose: always for the address, like an inspection.

    Otherwise codes could be found by choosing one after the other, of which few are taken. Without a `code` nothing is
    counted. Raises `RateLimited`, `LimiterUnavailable`.
    """
    if code is None:
        yield
        return
    key = limit_key(address)
    own = [(_of_address(context, "guess-address", policy), key)]
    choices = [(_of_address(context, "choice", policy), key)]
    if space := _searchable(policy, code):
        choices += _of_few(context, "choice-of-few", space, space.wrong_of_everybody, address)
    async with _counted_guess(context, policy, address, code, own, always=choices):
        yield


@asynccontextmanager
async def counted_inspection(context: Context, policy: Policy, address: str, code: str) -> AsyncGenerator[None]:
    """Count the block, a look-up that redeems nothing: always for its address, and for everybody if the code is wrong.

    Raises `RateLimited`, `LimiterUnavailable`.
    """
    key = limit_key(address)
    inspection = (_of_address(context, "inspection", policy), key)
    async with _counted_guess(context, policy, address, code, [], always=[inspection]):
        yield


@asynccontextmanager
async def _counted_guess(
    context: Context, policy: Policy, address: str, code: str, own: Sequence[Event], *, always: Sequence[Event] = ()
) -> AsyncGenerator[None]:
    """Count the block if the code is wrong: as `own` events, in everybody's budget, and as a miss of the address.

    The events `always` are counted whether it is wrong or not. Raises `RateLimited` if a budget is used up, unless it
    is everybody's and the address has not missed lately, and `LimiterUnavailable`.
    """
    everybody = context.limiter.budget(
        "guess-everyone", context.guess_global_count, timedelta(minutes=1), EverybodyRefused
    )
    misses = _of_address(context, "guess-missed", policy)
    outcome = "failed"
    try:
        async with (
            _counted_search(context, policy, address, code),
            counted_guess(own, (everybody, ""), (misses, limit_key(address)), WRONG_GUESSES, always=always),
        ):
            yield
        outcome = "right"
    except WRONG_GUESSES:
        outcome = "wrong"
        raise
    except RateLimited:
        outcome = "refused"
        raise
    finally:
        CODES.add(outcome)
        if outcome in ("wrong", "refused"):
            count("codes_refused")


def _counted_search(context: Context, policy: Policy, address: str, code: str) -> AbstractAsyncContextManager[None]:
    """Count the block in the budgets of the day for codes like this one, if the other budgets let too many be tried.

    An ended share is no miss: its code was right, and its link may be followed for long.
    """
    space = _searchable(policy, code)
    if space is None:
        return nullcontext()
    own = _of_few(context, "guess-of-few", space, space.wrong_of_address, address)
    everybody, missed = (
        context.limiter.budget("guess-of-few-everyone", space.wrong_of_everybody, DAY, EverybodyRefused),
        context.limiter.budget("guess-of-few-missed", space.wrong_of_address, DAY),
    )
    misses = missed, f"{space.name}:{limit_key(address)}"
    return counted_guess(own, (everybody, space.name), misses, (UnknownCode, BadKey), forgiven=MISTYPED)


def _of_few(context: Context, name: str, space: Space, count: int, address: str) -> list[Event]:
    """The budgets of the day for codes of a space: that of the address's site, if it has one, and its own."""
    own = context.limiter.budget(name, count, DAY), f"{space.name}:{limit_key(address)}"
    site = site_key(address)
    if site is None:
        return [own]
    return [(context.limiter.budget(f"{name}-site", SITE * count, DAY), f"{space.name}:{site}"), own]


def _searchable(policy: Policy, code: str) -> Space | None:
    """The space of this code, if an address could otherwise try more of it in a day than a small part."""
    space = space_of(code)
    tries = policy.error_count * DAY / timedelta(minutes=policy.error_minute)
    return space if space and space.wrong_of_address < tries else None


def _of_address(context: Context, name: str, policy: Policy) -> Budget:
    """A block by this budget lasts for a whole period after the last event that counted."""
    return context.limiter.budget(name, policy.error_count, timedelta(minutes=policy.error_minute), restarts=True)
