import time

from common.queue.app import create_celery, send


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
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.accept_content == ["json"]
