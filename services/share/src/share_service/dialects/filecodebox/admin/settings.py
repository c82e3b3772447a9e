"""Reading and changing the configuration."""

from typing import Any

from fastapi import APIRouter, Request, Response

from common.audit import Author
from common.dialects.filecodebox import FileCodeBoxRoute, ok
from common.dialects.filecodebox_admin import administered, object_of
from common.errors import InvalidInput
from share_service.administration.passwords import PASSWORD_LENGTH, replace_password
from share_service.context import Context
from share_service.dialects.filecodebox.admin.configuration import (
    KEYS,
    PASSWORD_KEY,
    misshaped,
    policy_values,
    whole_configuration,
)
from share_service.edge import context_of
from share_service.policy.changing import PolicyChanged, change_policy, read_policy

ATTEMPTS = 5

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@administered(router, "/config/get", "GET")
async def read_configuration(request: Request, author: Author) -> Response:
    """The whole configuration, without any secret."""
    return ok(whole_configuration((await read_policy(context_of(request))).policy))


@administered(router, "/config/update", "PATCH")
async def change_configuration(request: Request, author: Author) -> Response:
    """Change what differs from the policy in force. A new password is that of the account which is signed in."""
    context, sent = context_of(request), await object_of(request)
    values, password = policy_values(sent), sent.get(PASSWORD_KEY)
    if password and (not isinstance(password, str) or len(password) < PASSWORD_LENGTH):
        raise misshaped(PASSWORD_KEY)
    await _change(context, author, values)
    if password:
        try:
            await replace_password(context, author, password)
        except InvalidInput:
            raise misshaped(PASSWORD_KEY) from None
    return ok(None)


async def _change(context: Context, author: Author, values: dict[str, Any]) -> None:
    """Change the policy. The page knows no versions, so the last one who saves wins."""
    for attempt in range(ATTEMPTS):
        now = await read_policy(context)
        present = now.policy.model_dump(mode="json")
        changes = {name: value for name, value in values.items() if present[name] != value}
        try:
            if changes:
                await change_policy(context, author, now.revision.version, changes)
        except PolicyChanged:
            if attempt == ATTEMPTS - 1:
                raise
        except InvalidInput as error:
            # Its message begins with `values.` and the name of a field.
            field = error.message.removeprefix("values.").partition(":")[0].partition(".")[0]
            raise misshaped(KEYS.get(field, field)) from None
        else:
            return
