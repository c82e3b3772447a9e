"""Expired sessions and old addresses are deleted."""

from auth_service.sessions.purging import purge
from tests.integration.auth.running import AuthService, sweeping


async def test_what_is_over_is_purged(auth: AuthService) -> None:
    person = auth.sign_up()
    living = auth.sign_in(person)
    old = person.session_id()
    auth.rows("update session set expires_at = now() - interval '1 second' where id = %s", old)
    auth.rows("update known_address set seen_at = now() - interval '31 days' where account_id = %s", person.id)
    async with sweeping(auth) as context:
        await purge(context)
        await purge(context)
    assert auth.rows("select id from session where account_id = %s", person.id) == [(living.session_id(),)]
    assert auth.rows("select 1 from known_address where account_id = %s", person.id) == []
    assert living.status() == 200
