"""Every action, by everybody, on everything: the whole of what `common.rights` decides, spelled out."""

from itertools import product
from uuid import UUID, uuid4

import pytest

from common.errors import Forbidden, NotFound
from common.identity import Identity, Role
from common.rights import Action, Actor, permitted, require

ME, SOMEONE_ELSE = uuid4(), uuid4()


def account(role: Role) -> Identity:
    return Identity(ME, "me", role, uuid4(), None)


ACTORS = {
    "guest": Actor(None),
    "guest with key": Actor(None, has_key=True),
    "account": Actor(account(Role.USER)),
    "account with key": Actor(account(Role.USER), has_key=True),
    "administrator": Actor(account(Role.ADMINISTRATOR)),
    "administrator with key": Actor(account(Role.ADMINISTRATOR), has_key=True),
}
OWNERS: dict[str, UUID | None] = {"nobody": None, "me": ME, "another": SOMEONE_ELSE}

COLUMNS = (Action.SEE, Action.FETCH, Action.EDIT, Action.SHARE, Action.DELETE, Action.ADOPT, Action.CONTINUE)
# yes; no: it must not even be known that there is such a thing; 403: it may be known, but this is not allowed.
# A guest owns nothing: what is "me" to others is another's to a guest.
TABLE = """
                          owner    | see  fetch edit share delete adopt continue
 guest                    nobody   | no   no    no   no    no     no    yes
 guest                    me       | no   no    no   no    no     no    no
 guest                    another  | no   no    no   no    no     no    no
 guest with key           nobody   | no   no    no   no    yes    yes   yes
 guest with key           me       | no   no    no   no    yes    no    no
 guest with key           another  | no   no    no   no    yes    no    no
 account                  nobody   | no   no    no   no    no     no    yes
 account                  me       | yes  yes   yes  yes   yes    yes   yes
 account                  another  | no   no    no   no    no     no    no
 account with key         nobody   | no   no    no   no    yes    yes   yes
 account with key         me       | yes  yes   yes  yes   yes    yes   yes
 account with key         another  | no   no    no   no    yes    no    no
 administrator            nobody   | yes  403   403  403   yes    403   yes
 administrator            me       | yes  yes   yes  yes   yes    yes   yes
 administrator            another  | yes  403   403  403   yes    403   403
 administrator with key   nobody   | yes  403   403  403   yes    yes   yes
 administrator with key   me       | yes  yes   yes  yes   yes    yes   yes
 administrator with key   another  | yes  403   403  403   yes    403   403
"""


def rows() -> list[tuple[str, str, Action, str]]:
    found: list[tuple[str, str, Action, str]] = []
    for line in TABLE.strip().splitlines()[1:]:
        who, answers = line.split("|")
        *actor, owner = who.split()
        pairs = zip(COLUMNS, answers.split(), strict=True)
        found += [(" ".join(actor), owner, action, answer) for action, answer in pairs]
    return found


@pytest.mark.parametrize(("actor", "owner", "action", "answer"), rows())
def test_everyone_may_do_what_the_table_says(actor: str, owner: str, action: Action, answer: str) -> None:
    assert permitted(action, ACTORS[actor], OWNERS[owner]) == (answer == "yes")
    if answer == "yes":
        require(action, ACTORS[actor], OWNERS[owner])
    else:
        with pytest.raises(NotFound if answer == "no" else Forbidden):
            require(action, ACTORS[actor], OWNERS[owner])


def test_the_table_leaves_nothing_out() -> None:
    listed = [(actor, owner, action) for actor, owner, action, _ in rows()]
    assert sorted(listed) == sorted(product(ACTORS, OWNERS, Action))
