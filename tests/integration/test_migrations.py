"""New migrations leave tables that the version before can use: its replicas run on them in the middle of an upgrade."""

from pathlib import Path

import psycopg
import pytest

from common.db.migrate import migrate, statements_alone
from deploy.local.credentials import SERVICES
from deploy.local.places import migrations
from tests.conftest import MakeDatabase
from tests.previous import NoHistory, git, number, previous
from tests.schemas import problems, read

ALLOWED: frozenset[str] = frozenset()
"""Findings of `problems` that the version before can live with, each for a reason in the migration itself."""

TABLES = """
create table place (id int primary key, code text unique, name text, size int not null default 0);
create function shout(text) returns text language sql return upper($1);
"""
UNFIT = {
    "alter table place drop column name": "place.name is gone",
    "alter table place rename name to title": "place.name is gone",
    "alter table place rename to room": "place.name is gone",
    "alter table place alter name type varchar(5)": "place.name was text and is character varying(5)",
    "alter table place alter name set not null": "place.name has become required",
    "alter table place alter size drop default": "place.size has lost its default",
    "alter table place add color text not null": "place.color is new, required and has no default",
    "alter table place add check (size < 5)": "place: CHECK ((size < 5)) is new",
    "create unique index on place (name)": "place: unique (name) is new",
    "alter table place drop constraint place_code_key": "place: unique (code) is gone, which `on conflict` may name",
    "drop function shout": "the function shout(text) is gone",
}
FIT = (
    *("alter table place add color text", "alter table place add color text not null default ''"),
    *("create table other (id int primary key references place)", "create index on place (name)"),
    *("alter table place alter name set default 'x'", "alter table place add color text check (color <> name)"),
)


INDEXES = "select indexdef from pg_indexes where schemaname = 'public' order by indexdef"


def test_statements_that_stand_alone_can_be_repeated(make_test_database: MakeDatabase) -> None:
    """A process that dies among them begins again."""
    texts = {service: [path.read_text() for path in migrations(service).glob("*.sql")] for service in SERVICES}
    alone = {service: [one for text in texts[service] for one in statements_alone(text)] for service in SERVICES}
    assert alone["share"]
    for service in SERVICES:
        if alone[service]:
            with psycopg.connect(make_test_database(migrations(service)), autocommit=True) as connection:
                before = connection.execute(INDEXES).fetchall()
                for end in range(len(alone[service]) + 1):
                    for statement in (*alone[service][:end], *alone[service]):
                        connection.execute(statement.encode())
                    assert connection.execute(INDEXES).fetchall() == before


@pytest.mark.parametrize("service", SERVICES)
def test_the_tables_of_new_migrations_fit_the_version_before(
    service: str, make_test_database: MakeDatabase, tmp_path: Path
) -> None:
    last = previous().migrations[service]
    for path in migrations(service).glob("*.sql"):
        if number(path.name) <= last:
            (tmp_path / path.name).symlink_to(path)
    assert len(list(tmp_path.iterdir())) == last
    url = make_test_database(tmp_path)
    with psycopg.connect(url, autocommit=True) as connection:
        before = read(connection)
        migrate(url, migrations(service))
        assert set(problems(before, read(connection))) <= ALLOWED


def test_what_the_version_before_cannot_use_is_found(make_test_database: MakeDatabase, tmp_path: Path) -> None:
    with psycopg.connect(make_test_database(tmp_path), autocommit=True) as connection, connection.transaction():
        connection.execute(TABLES)
        before = read(connection)
        for statement in (*UNFIT, *FIT):
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())
                found = problems(before, read(connection))
            assert (UNFIT[statement] in found) if statement in UNFIT else not found, (statement, found)


def test_the_record_of_the_version_before_is_right() -> None:
    """It names the migrations of its commit; after a release it is the last released one."""
    known = previous()
    try:
        listed = git("ls-tree", "-r", "--name-only", known.commit, "services").decode().splitlines()
        released = git("tag", "--list", "v*", "--merged", "HEAD~1", "--sort=-creatordate").decode().split()
    except NoHistory as reason:
        pytest.skip(f"the history is not here: {reason}")
    for service in SERVICES:
        names = sorted(Path(path).name for path in listed if path.startswith(f"services/{service}/migrations/"))
        assert number(names[-1]) == known.migrations[service], service
    if released:
        assert git("rev-parse", f"{released[0]}^{{commit}}").decode().startswith(known.commit)
