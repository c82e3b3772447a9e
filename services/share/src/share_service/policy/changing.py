"""Use cases of administrators: to read the policy with what was changed, and to change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from common import logging
from common.audit import Act, Author, changed
from common.audit_log import record
from common.errors import Conflict, InvalidInput
from common.policy import Policy
from share_service.context import Context
from share_service.policy.queries import Revision, add_revision, list_revisions, newest_revision
from share_service.policy.source import in_force

_log = logging.get(__name__)


class PolicyChanged(Conflict):
    """Another administrator has changed the policy meanwhile."""

    code = "policy_changed"


@dataclass(frozen=True, slots=True)
class WholePolicy:
    """The policy, and where its values come from."""

    revision: Revision
    policy: Policy
    defaults: Policy


async def read_policy(context: Context) -> WholePolicy:
    """The policy as the database has it at this moment."""
    async with context.db.connection() as connection:
        return _whole(context, await newest_revision(connection))


async def past_revisions(context: Context, before: int, limit: int) -> list[Revision]:
    """Earlier revisions than `before`, the newest first."""
    async with context.db.connection() as connection:
        return await list_revisions(connection, before, limit)


async def change_policy(context: Context, author: Author, version: int, values: Mapping[str, Any]) -> WholePolicy:
    """Set fields of the policy to values of JSON; None gives a field its default again.

    `version` is the one that the administrator saw. Raises `Forbidden`, `InvalidInput`, and `PolicyChanged` if it is
    not the newest.
    """
    author.require_administrator()
    if unknown := values.keys() - Policy.model_fields.keys():
        raise InvalidInput(f"values.{min(unknown)}: there is no such field")
    async with context.db.transaction() as connection:
        newest = await newest_revision(connection)
        if newest.version != version:
            raise PolicyChanged
        kept = {name: value for name, value in newest.changes.items() if name in Policy.model_fields}
        changes = {name: value for name, value in {**kept, **values}.items() if value is not None}
        _check(context.policy.defaults, changes)
        if changes == newest.changes:
            return _whole(context, newest)
        if not await add_revision(connection, version + 1, changes, author.identity.account_id):
            raise PolicyChanged
        whole = _whole(context, await newest_revision(connection))
        old, new = changed(_in_json(_whole(context, newest)), _in_json(whole))
        await record(connection, author, [Act("policy.change", "policy", str(version + 1), old=old, new=new)])
    _log.info(
        "the policy was changed", version=version + 1, fields=sorted(values), account=str(author.identity.account_id)
    )
    return whole


def _whole(context: Context, revision: Revision) -> WholePolicy:
    return WholePolicy(revision, in_force(context.policy.defaults, revision.changes), context.policy.defaults)


def _in_json(whole: WholePolicy) -> dict[str, Any]:
    return whole.policy.model_dump(mode="json")


def _check(defaults: Policy, changes: Mapping[str, Any]) -> None:
    try:
        wanted = Policy.model_validate({**defaults.model_dump(), **changes}, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in ("values", *first["loc"]))
        raise InvalidInput(f"{where}: {first['msg']}") from None
    try:
        wanted.check_consistent()
    except InvalidInput as error:
        raise InvalidInput(f"values.{error.message}") from None
