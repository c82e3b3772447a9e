"""The policy: when a change takes effect, and which service may read it."""

import time

import psycopg

from tests.integration.share.asking import share_text
from tests.integration.share.running_share import Start


def test_a_change_of_policy_takes_effect_within_seconds(start: Start) -> None:
    with start() as service, psycopg.connect(service.database_url, autocommit=True) as connection:
        client = service.client()
        assert client.post("/").json()["detail"]["uploadSize"] == 10 * 1024**3
        connection.execute(
            "insert into policy (name, value) values ('upload_size', '5'), ('numeric_codes', 'true'), ('gone', '1')"
        )
        deadline = time.monotonic() + 10
        while client.post("/").json()["detail"]["uploadSize"] != 5:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert service.internal("GET", "/internal/policy").json()["upload_size"] == 5
        codes = [share_text(client) for _ in range(20)]
        assert all(code.isdecimal() and int(code) >= 10_000 for code in codes)


def test_internal_routes_are_for_the_upload_service_alone(start: Start) -> None:
    with start() as service:
        assert service.client().get("/internal/policy").status_code == 401
        headers = {"Authorization": "Bearer x.y.z"}
        assert service.client().get("/internal/policy", headers=headers).status_code == 401
        assert service.internal("GET", "/internal/policy", service="share").status_code == 403
        assert service.internal("GET", "/internal/policy").status_code == 200
