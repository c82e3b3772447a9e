import time
from pathlib import Path

import pytest

from common.queue import serving
from common.queue.app import VISIBILITY_SECONDS, create_celery, send
from common.queue.schedule import QUEUES, SECONDS, create_beat
from common.queue.worker import TASK_SECONDS


def test_a_message_that_cannot_be_sent_is_dropped() -> None:
    app = create_celery("test", "redis://127.0.0.1:9/1")
    begun = time.monotonic()
    send(app, "test.task", "id")
    assert time.monotonic() - begun < 20
    app.close()


def test_tasks_survive_the_worker_that_runs_them() -> None:
    app = create_celery("test", "redis://127.0.0.1:9/1")
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.broker_transport_options["visibility_timeout"] == VISIBILITY_SECONDS > TASK_SECONDS
    assert app.conf.accept_content == ["json"]


def test_a_sweep_that_waited_for_its_whole_interval_is_dropped() -> None:
    app = create_beat("redis://127.0.0.1:9/1")
    for name, entry in app.conf.beat_schedule.items():
        service = name.partition(".")[0]
        assert entry["options"] == {"queue": QUEUES.get(service, service), "expires": SECONDS[name]}
    app.close()


def test_a_process_is_alive_while_all_its_consumers_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "alive"
    pulse = serving.Pulse(file, 2)
    pulse.of("one")
    assert not file.exists()
    pulse.of("other")
    assert file.exists()
    file.unlink()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + serving.LONGEST_PULSE + 1)
    pulse.of("one")
    assert not file.exists()
    pulse.of("other")
    assert file.exists()
