"""The append-only file of Valkey, in which texts stay until it is rewritten."""

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from chat_service.streams.model import ChatUnavailable
from common import logging


async def rewrite_log(redis: Redis) -> bool:
    """Have Valkey write its file again, without what is over, if something was written since. Returns whether it does.

    Raises `ChatUnavailable`.
    """
    try:
        found = await redis.info("persistence")
        is_needed = found["aof_enabled"] and found["aof_current_size"] > found["aof_base_size"]
        if not is_needed or found["aof_rewrite_in_progress"] or found["aof_rewrite_scheduled"]:
            return False
        await redis.bgrewriteaof()
    except ResponseError as error:
        # A server of the operator's own may not allow it, or not have it; then its own rules decide.
        logging.get(__name__).warning("the log of Valkey was not rewritten", error=str(error))
        return False
    except RedisError as error:
        raise ChatUnavailable from error
    return True
