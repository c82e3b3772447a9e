"""The call by which chat ends the shares that were posted in a room."""

from uuid import uuid4

import pytest

from tests.integration.share.running_share import ShareService

PATH = "/internal/shares/revoke"


def revoke(service: ShareService, *share_ids: object) -> int:
    asked = {"share_ids": [str(share_id) for share_id in share_ids]}
    return service.internal("POST", PATH, asked, "chat").status_code


def test_the_shares_of_a_room_end_at_once_and_others_go_on(service: ShareService) -> None:
    gone, kept = [service.share_link() for _ in range(3)], service.share_link()
    assert revoke(service, *(link.id for link in gone), uuid4()) == 200
    client = service.client()
    assert [client.get(f"/f/{link.code}").status_code for link in (*gone, kept)] == [404, 404, 404, 200]


def test_revoking_again_changes_nothing(service: ShareService) -> None:
    link = service.share_link()
    assert [revoke(service, link.id), revoke(service, link.id), revoke(service)] == [200, 200, 200]
    assert service.client().get(f"/f/{link.code}").status_code == 404


def test_a_share_of_the_same_file_that_was_not_posted_goes_on(service: ShareService) -> None:
    posted = service.share_link()
    other = service.shared(form="link", file_id=str(posted.file_id))
    assert revoke(service, posted.id) == 200
    assert service.client().get(f"/f/{other.code}").status_code == 200


def test_nobody_but_chat_revokes(service: ShareService) -> None:
    link = service.share_link()
    asked = {"share_ids": [str(link.id)]}
    for caller in ("upload", "auth", "share"):
        assert service.internal("POST", PATH, asked, caller).status_code == 403
    assert service.client().post(PATH, json=asked).status_code == 401
    assert service.client().get(f"/f/{link.code}").status_code == 200


@pytest.mark.parametrize("asked", [{}, {"share_ids": ["x"]}, {"share_ids": "x"}])
def test_what_is_no_list_of_shares_is_refused(service: ShareService, asked: object) -> None:
    assert service.internal("POST", PATH, asked, "chat").status_code == 422
