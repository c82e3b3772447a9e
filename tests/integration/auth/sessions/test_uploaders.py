"""Ready-made configurations for uploading from programs."""

import re
import time
from datetime import datetime

import pytest

from tests.conftest import MakeDatabase
from tests.integration.auth.running import AuthService, Person, running_auth


def test_a_sharex_file_is_ready_to_be_opened(auth: AuthService, person: Person) -> None:
    answer = person.client.post("/v1/account/uploaders/sharex", headers={"Host": "files.test:8080"})
    assert answer.headers["content-disposition"] == 'attachment; filename="waystation.sxcu"'
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["RequestURL"] == "http://files.test:8080/api/upload/private"
    assert (found["RequestMethod"], found["Body"], found["FileFormName"]) == ("POST", "MultipartFormData", "file")
    assert found["URL"] == "{json:file_url_full}"
    assert found["DeletionURL"] == "http://files.test:8080/api/delete/{json:file_url}?key={json:key}"
    assert found["ErrorMessage"] == "{json:message}"
    token = found["Headers"]["Authorization"].removeprefix("Bearer ")
    assert auth.client(token=token).get("/v1/account").json()["id"] == str(person.id)
    session = person.client.get("/v1/auth/sessions").json()["sessions"][0]
    assert session["label"] == "ShareX"
    assert datetime.fromisoformat(session["expires_at"]).timestamp() == pytest.approx(time.time() + 15_552_000, abs=60)
    assert person.client.delete(f"/v1/auth/sessions/{session['id']}").status_code == 204
    assert auth.client(token=token).get("/v1/account").status_code == 401


def test_a_curl_line_names_the_public_address(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_auth(make_database, valkey_url, public_url="https://files.example.org/") as auth:
        person = auth.sign_up()
        answer = person.client.post("/v1/account/uploaders/curl")
        assert answer.headers["content-type"].startswith("text/plain")
        pattern = r"curl -H 'Authorization: Bearer (\S+)' -F 'file=@FILE' '(https://\S+)'\n"
        found = re.fullmatch(pattern, answer.text)
        assert found
        assert found[2] == "https://files.example.org/api/upload/private?include_ext=true"
        assert auth.client(token=found[1]).get("/v1/account").status_code == 200
