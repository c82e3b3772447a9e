"""All decisions of `common.rights`, in one table: every action of every kind of caller on every kind of thing."""

from itertools import product
from uuid import UUID, uuid4

import pytest

from common.errors import Forbidden, NotFound
from common.identity import Identity, Role
from common.rights import Action, Actor, Standing, permitted, require

ME, SOMEONE_ELSE = uuid4(), uuid4()


def account(role: Role) -> Identity:
    return Identity(ME, "me", role, uuid4(), None)


ACTORS = {
    "guest": Actor(None),
    "guest with key": Actor(None, has_key=True),
    "guest with sender's key": Actor(None, is_sender=True),
    "account": Actor(account(Role.USER)),
    "account with key": Actor(account(Role.USER), has_key=True),
    "administrator": Actor(account(Role.ADMINISTRATOR)),
    "administrator with key": Actor(account(Role.ADMINISTRATOR), has_key=True),
    "moderator": Actor(account(Role.USER), place=Standing.MODERATOR),
    "member": Actor(account(Role.USER), place=Standing.MEMBER),
    "visitor": Actor(account(Role.USER), place=Standing.VISITOR),
    "administrator as visitor": Actor(account(Role.ADMINISTRATOR), place=Standing.VISITOR),
}
OWNERS: dict[str, UUID | None] = {"nobody": None, "me": ME, "another": SOMEONE_ELSE}

FILES = (Action.SEE, Action.FETCH, Action.EDIT, Action.SHARE, Action.DELETE, Action.ADOPT, Action.CONTINUE)
COLUMNS = (*FILES, Action.READ, Action.WRITE, Action.INVITE, Action.MODERATE, Action.ADMINISTER)
# "yes": permitted. "no": the actor may not even know that the thing exists. "403": the actor may know it, but the
# action is not permitted. A guest owns nothing, so to a guest a thing of owner "me" belongs to somebody else. The owner
# of a room is always in it.
TABLE = """
                          owner    | see  fetch edit share delete adopt continue read write invite moderate administer
 guest                    nobody   | no   no    no   no    no     no    yes      no   no    no     no       no
 guest                    me       | no   no    no   no    no     no    no       no   no    no     no       no
 guest                    another  | no   no    no   no    no     no    no       no   no    no     no       no
 guest with key           nobody   | no   no    no   no    yes    yes   yes      no   no    no     no       no
 guest with key           me       | no   no    no   no    yes    no    no       no   no    no     no       no
 guest with key           another  | no   no    no   no    yes    no    no       no   no    no     no       no
 guest with sender's key  nobody   | yes  403   yes  403   yes    403   yes      403  403   403    403      403
 guest with sender's key  me       | yes  403   yes  403   yes    403   403      403  403   403    403      403
 guest with sender's key  another  | yes  403   yes  403   yes    403   403      403  403   403    403      403
 account                  nobody   | no   no    no   no    no     no    yes      no   no    no     no       no
 account                  me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      403
 account                  another  | no   no    no   no    no     no    no       no   no    no     no       no
 account with key         nobody   | no   no    no   no    yes    yes   yes      no   no    no     no       no
 account with key         me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      403
 account with key         another  | no   no    no   no    yes    no    no       no   no    no     no       no
 administrator            nobody   | yes  403   403  403   yes    403   yes      403  403   403    403      yes
 administrator            me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      yes
 administrator            another  | yes  403   403  403   yes    403   403      403  403   403    403      yes
 administrator with key   nobody   | yes  403   403  403   yes    yes   yes      403  403   403    403      yes
 administrator with key   me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      yes
 administrator with key   another  | yes  403   403  403   yes    403   403      403  403   403    403      yes
 moderator                nobody   | yes  403   403  403   403    403   yes      yes  yes   yes    yes      403
 moderator                me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      403
 moderator                another  | yes  403   403  403   403    403   403      yes  yes   yes    yes      403
 member                   nobody   | yes  403   403  403   403    403   yes      yes  yes   403    403      403
 member                   me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      403
 member                   another  | yes  403   403  403   403    403   403      yes  yes   403    403      403
 visitor                  nobody   | yes  403   403  403   403    403   yes      403  403   403    403      403
 visitor                  me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      403
 visitor                  another  | yes  403   403  403   403    403   403      403  403   403    403      403
 administrator as visitor nobody   | yes  403   403  403   yes    403   yes      403  403   403    403      yes
 administrator as visitor me       | yes  yes   yes  yes   yes    yes   yes      yes  yes   yes    yes      yes
 administrator as visitor another  | yes  403   403  403   yes    403   403      403  403   403    403      yes
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
def test_rights_are_as_in_the_table(actor: str, owner: str, action: Action, answer: str) -> None:
    assert permitted(action, ACTORS[actor], OWNERS[owner]) == (answer == "yes")
    if answer == "yes":
        require(action, ACTORS[actor], OWNERS[owner])
    else:
        with pytest.raises(NotFound if answer == "no" else Forbidden):
            require(action, ACTORS[actor], OWNERS[owner])


def test_the_table_is_complete() -> None:
    listed = [(actor, owner, action) for actor, owner, action, _ in rows()]
    assert sorted(listed) == sorted(product(ACTORS, OWNERS, Action))
