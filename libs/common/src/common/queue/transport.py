"""The transport of messages: kombu's for Redis and Valkey, except for channels whose connection was closed.

When the broker is lost, kombu closes a connection while a consumer's loop or a thread may still use its channels. Such
a channel fails with an `AttributeError` about `hostname`, which nobody expects, and it ends the consumer. Here it fails
as with every other lost connection, so that the consumer connects again.
"""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as ConnectionLost


class _Channel(redis.Channel):
    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        # A close that broke off half way, as it may when the broker is gone, leaves only the second of them.
        if self.connection is None or self.connection.client is None:
            raise ConnectionLost("the connection of this channel was closed")
        return super()._connparams(asynchronous)


class Transport(redis.Transport):
    """Kombu's transport, with channels that can tell that they are closed."""

    Channel = _Channel
