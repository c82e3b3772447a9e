"""SQL on which mirrors accounts may use and choose, and on which mirrors files are wanted.

A wish is a row of `file_mirror`. One function, one statement.
"""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_value
from upload_service.mirrors.model import Mirror, Replica
from upload_service.mirrors.queries.mirrors import COLUMNS

# The mirrors that an account may use.
USABLE: LiteralString = "removed_at is null and is_enabled and (accounts is null or %(account)s = any(accounts))"


async def mirrors_for(connection: Connection, account: UUID) -> list[Mirror]:
    """The mirrors that an account may use."""
    statement: LiteralString = f"select {COLUMNS} from mirror where {USABLE} order by id"
    return await fetch_all(connection, Mirror, statement, {"account": account})


async def get_choice(connection: Connection, account: UUID) -> list[int] | None:
    """The mirrors that an account chose for its files; None if it has not chosen."""
    statement = "select mirror_ids from mirror_choice where account = %(account)s"
    return await fetch_value(connection, statement, {"account": account})


async def set_choice(connection: Connection, account: UUID, mirror_ids: Sequence[int]) -> None:
    """Record the mirrors that an account chose for its files."""
    await connection.execute(
        """
        insert into mirror_choice (account, mirror_ids) values (%(account)s, %(ids)s)
        on conflict (account) do update set mirror_ids = excluded.mirror_ids
        """,
        {"account": account, "ids": list(mirror_ids)},
    )


async def delete_choice(connection: Connection, account: UUID) -> None:
    """Return an account to the default mirrors."""
    await connection.execute("delete from mirror_choice where account = %(account)s", {"account": account})


async def add_wishes(connection: Connection, file_id: UUID, owner: UUID, mirror_ids: Sequence[int] | None) -> None:
    """Want a file on these mirrors, or (None) on those of its owner's choice, as far as the owner may use them.

    None of the mirrors is removed before the end of the transaction.
    """
    statement: LiteralString = f"""
        insert into file_mirror (file_id, mirror_id)
        select %(file_id)s, mirror.id
        from mirror left join mirror_choice on account = %(account)s
        where {USABLE} and case
            when %(ids)s::integer[] is not null then mirror.id = any(%(ids)s)
            when mirror_choice.account is not null then mirror.id = any(mirror_ids)
            else is_default
        end
        for key share of mirror
        on conflict do nothing
    """
    ids = None if mirror_ids is None else list(mirror_ids)
    await connection.execute(statement, {"file_id": file_id, "account": owner, "ids": ids})


async def delete_wish(connection: Connection, file_id: UUID, mirror_id: int) -> bool:
    """Want a file on a mirror no longer; False when it was not wanted there."""
    statement = "delete from file_mirror where file_id = %(file_id)s and mirror_id = %(mirror_id)s"
    return await count(connection, statement, {"file_id": file_id, "mirror_id": mirror_id}) == 1


async def wishes_of_file(connection: Connection, file_id: UUID) -> list[tuple[int, Replica | None]]:
    """The ids of the mirrors in use on which a file is wanted, each with its replica if there is one yet."""
    statement: LiteralString = """
        select file_mirror.mirror_id as wanted_on, replica.id, blob_id, replica.mirror_id, state, url, bytes_done,
            attempts, error, due_at, replica.changed_at, verified_at
        from file_mirror left join replica on replica.mirror_id = file_mirror.mirror_id
            and replica.blob_id = (select blob_id from file where id = %(file_id)s)
        join mirror on mirror.id = file_mirror.mirror_id and removed_at is null
        where file_id = %(file_id)s order by wanted_on
    """

    def row(wanted_on: int, **values: object) -> tuple[int, Replica | None]:
        return wanted_on, None if values["id"] is None else Replica(**values)  # pyright: ignore[reportArgumentType]

    return await fetch_all(connection, row, statement, {"file_id": file_id})
