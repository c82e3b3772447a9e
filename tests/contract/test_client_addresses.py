"""The address by which limits count a client, on the whole system: only the gateway may tell it."""

import httpx

from deploy.local.stack import StartedStack


def test_a_local_process_cannot_choose_its_address_at_a_services_port(narrow_stack: StartedStack) -> None:
    """Wrong codes are counted by the connection, whatever is claimed, so that they end in a refusal."""
    with httpx.Client(base_url=f"http://127.0.0.1:{narrow_stack.ports['share']}", timeout=30) as client:
        statuses = [
            client.get(
                "/share/select/",
                params={"code": f"0000{number}"},
                headers={"X-Forwarded-For": f"198.51.100.{number}", "X-Gateway-Token": "guessed"},
            ).status_code
            for number in range(6)
        ]
    assert 423 in statuses, statuses
