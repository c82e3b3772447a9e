"""Adding what services have handed over to the sums of hours.

The counts are renamed in Valkey before they are read, together with an id. The id is committed with the sums, and the
counts are deleted afterwards: whatever dies in between, the next attempt finds the same counts under the same id, and
adds them if that is still to be done.
"""

from datetime import timedelta
from typing import cast
from uuid import UUID

from common import clock
from common.ids import new_id
from common.statistics import COUNTS_KEY
from share_service.context import Context
from share_service.statistics import queries
from share_service.statistics.model import HOURS_KEPT, sums_of

TAKEN_KEY = "statistics:taken"
BATCHES_KEPT = timedelta(days=1)
FORGOTTEN_AT_ONCE = 100
_ID = b"batch"
# Returns the counts that were taken but not added yet, or else takes those that there are, under the id in ARGV.
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    return {}
  end
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'batch', ARGV[1])
end
return redis.call('HGETALL', KEYS[2])
"""
# Deletes the counts that were taken, unless they are those of a later id.
_DROP = """
if redis.call('HGET', KEYS[1], 'batch') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


async def fold(context: Context) -> None:
    """Add what was handed over, each number once. Old hours become days. Safe to run twice at once."""
    async with context.db.alone("statistics to add") as is_alone:
        if is_alone:
            await _add(context)
            now = clock.now()
            async with context.db.transaction() as connection:
                # Whole days only, so that no day is made of both.
                await queries.roll_up(connection, (now - HOURS_KEPT).replace(hour=0, minute=0, second=0, microsecond=0))
                await queries.forget_batches(connection, now - BATCHES_KEPT, FORGOTTEN_AT_ONCE)


async def _add(context: Context) -> None:
    answer = await context.limiter.call("EVAL", _TAKE, 2, COUNTS_KEY, TAKEN_KEY, new_id().hex)
    values = cast("list[bytes]", answer)
    taken = dict(zip(values[::2], values[1::2], strict=True))
    if not taken:
        return
    batch_id = UUID(hex=taken.pop(_ID).decode())
    sums = sums_of({field.decode(): int(value) for field, value in taken.items()})
    async with context.db.transaction() as connection:
        if await queries.insert_batch(connection, batch_id, clock.now()):
            await queries.insert_sums(connection, sums)
    await context.limiter.call("EVAL", _DROP, 1, TAKEN_KEY, batch_id.hex)
