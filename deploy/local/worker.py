"""The one worker of the embedded stack: `python -m deploy.local.worker FILE`. It serves all queues, and runs the beat.

On containers each service has a worker of its own. Here they share a process, which takes a fifth of the memory. No
service imports another: this module is the only one that knows all of them, as the supervisor does. The settings of
each worker have its service's name before their own (`prefix`), because the services' databases and secrets differ.
"""

from auth_service import worker as auth
from auth_service.settings import WorkerSettings as AuthSettings
from chat_service import worker as chat
from chat_service.settings import WorkerSettings as ChatSettings
from common.queue import serving
from common.queue.schedule import Beat, create_beat
from common.settings import QueueSettings
from deploy.local.services import worker_prefix
from share_service import worker as share
from share_service.settings import WorkerSettings as ShareSettings
from upload_service import transfers
from upload_service import worker as upload
from upload_service.settings import UploadSettings

# Settings come from the environment, which the type checker does not know.
# pyright: reportCallIssue=false


def main() -> None:
    uploads = UploadSettings(_env_prefix=worker_prefix("upload"))
    settings = QueueSettings()
    serving.main(
        # Verifications first, because people wait for them.
        upload.create(uploads),
        transfers.create(uploads),
        share.create(ShareSettings(_env_prefix=worker_prefix("share"))),
        auth.create(AuthSettings(_env_prefix=worker_prefix("auth"))),
        chat.create(ChatSettings(_env_prefix=worker_prefix("chat"))),
        settings=settings,
        name="worker",
        # The folder of the stack is locked, so there is no other beat.
        beat=Beat(create_beat(settings.broker_url.get_secret_value(), alone=True)),
    )


if __name__ == "__main__":
    main()
