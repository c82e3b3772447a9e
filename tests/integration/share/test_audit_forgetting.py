"""Entries of the audit log are kept for as long as the policy says, and for no longer."""

import psycopg

from share_service.audit.forgetting import forget_old
from share_service.context import Context
from tests.integration.share.running_share import ShareService

ENTRY = """
insert into audit_entry (id, at, act, account_id, account_name, credential_id, address, target_kind)
select gen_random_uuid(), now() - %s * interval '1 day', 'share.end', gen_random_uuid(), %s, gen_random_uuid(), '',
    'share'
from generate_series(1, 1500)
"""
LEFT = "select account_name, count(*) from audit_entry group by 1 order by 1"


async def test_what_the_policy_does_not_keep_any_longer_is_forgotten(service: ShareService, worker: Context) -> None:
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        for name, days in (("new", 0), ("kept", 364), ("old", 366)):
            connection.execute(ENTRY, [days, name])
        await forget_old(worker)
        assert connection.execute(LEFT).fetchall() == [("kept", 1500), ("new", 1500)]
        changes = '{"audit_days": 1}'
        connection.execute("insert into policy_revision (version, changes) values (1, %s)", [changes])
    async with service.worker() as later:
        await forget_old(later)
    with psycopg.connect(service.database_url) as connection:
        assert connection.execute(LEFT).fetchall() == [("new", 1500)]
