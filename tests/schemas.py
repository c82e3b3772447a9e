"""Compares two versions of a database's schema: whether a program that was written for one can use the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

COLUMNS = """
select format('%s.%s', relname, attname), format_type(atttypid, atttypmod), attnotnull,
    atthasdef or attidentity <> '' as is_filled
from pg_attribute join pg_class on pg_class.oid = attrelid
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and attnum > 0 and not attisdropped
"""
RULES = """
select format('%s: %s', relname, pg_get_constraintdef(con.oid)),
    array(select format('%s.%s', relname, attname) from pg_attribute
        where attrelid = conrelid and attnum = any(conkey)) as columns
from pg_constraint con join pg_class on pg_class.oid = conrelid
where con.connamespace = 'public'::regnamespace and contype in ('c', 'f', 'x')
"""
UNIQUE = """
select format('%s: unique %s', relname, substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), '('))),
    array(select format('%s.%s', relname, attname) from pg_attribute
        where attrelid = indrelid and attnum = any(indkey::int2[])) as columns
from pg_index join pg_class on pg_class.oid = indrelid
where indisunique and relnamespace = 'public'::regnamespace
"""
FUNCTIONS = """
select format('%s(%s)', proname, pg_get_function_arguments(oid)) from pg_proc
where pronamespace = 'public'::regnamespace
    and prorettype <> 'trigger'::regtype
    and not exists (select 1 from pg_depend where objid = pg_proc.oid and deptype = 'e')
"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Column:
    type: str
    is_required: bool
    is_filled: bool
    """Whether it has a value without being named."""


@dataclass(frozen=True, slots=True)
class Schema:
    columns: Mapping[str, Column]
    rules: Mapping[str, list[str]]
    """Checks and references, each with its columns."""
    unique: Mapping[str, list[str]]
    functions: frozenset[str]

    def owns(self, columns: list[str]) -> bool:
        """Whether a rule is about columns of this version alone, so that its programs may break it."""
        return bool(columns) and all(column in self.columns for column in columns)


def read(connection: Connection) -> Schema:
    return Schema(
        {name: Column(*facts) for name, *facts in connection.execute(COLUMNS)},
        dict(connection.execute(RULES).fetchall()),
        dict(connection.execute(UNIQUE).fetchall()),
        frozenset(name for (name,) in connection.execute(FUNCTIONS)),
    )


def problems(before: Schema, after: Schema) -> list[str]:
    """All by which a program that knows `before` would fail on `after`."""
    return [*_columns(before, after), *_rules(before, after)]


def _columns(before: Schema, after: Schema) -> list[str]:
    found: list[str] = []
    for name, old in before.columns.items():
        new = after.columns.get(name)
        if new is None:
            found.append(f"{name} is gone")
        elif new.type != old.type:
            found.append(f"{name} was {old.type} and is {new.type}")
        elif new.is_required and not old.is_required:
            found.append(f"{name} has become required")
        elif new.is_required and old.is_filled and not new.is_filled:
            found.append(f"{name} has lost its default")
    tables = {name.partition(".")[0] for name in before.columns}
    for name in after.columns.keys() - before.columns.keys():
        new = after.columns[name]
        if name.partition(".")[0] in tables and new.is_required and not new.is_filled:
            found.append(f"{name} is new, required and has no default")
    return found


def _rules(before: Schema, after: Schema) -> list[str]:
    found = [f"{name} is gone, which `on conflict` may name" for name in before.unique.keys() - after.unique.keys()]
    found += [f"the function {name} is gone" for name in before.functions - after.functions]
    for old, new in ((before.rules, after.rules), (before.unique, after.unique)):
        found += [f"{name} is new" for name in new.keys() - old.keys() if before.owns(new[name])]
    return found
