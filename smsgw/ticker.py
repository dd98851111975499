"""What is done again and again while a gateway runs, whatever its machine's clock is set to."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

SET = timedelta(seconds=1)  # a clock that went so much more or less than time did was set


class _Jobs(MemoryJobStore):  # type: ignore[misc] # it comes without types
    """Jobs whose next times go along with the clock when that is set, so that each comes as soon as it would have.

    Left alone, what is due in a second would come in an hour, if the clock was set back by one; and if it was set years
    ahead, every time in between would be thought of. The scheduler looks here at least as often as a job is due.
    """

    def __init__(self) -> None:
        super().__init__()
        self._behind: timedelta | None = None  # the seconds of this machine's life, behind its clock

    def get_due_jobs(self, now: datetime) -> list[object]:
        """As the scheduler asks."""
        behind = now - datetime.fromtimestamp(time.monotonic(), now.tzinfo)
        moved = timedelta(0) if self._behind is None else behind - self._behind
        self._behind = behind
        if abs(moved) > SET:
            for job in self.get_all_jobs():
                job.modify(next_run_time=job.next_run_time + moved)
        return list(super().get_due_jobs(now))


def ticker() -> BackgroundScheduler:
    """APScheduler. A tick that comes while the one before is at work is left out."""
    return BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": _Jobs()},
        job_defaults={"coalesce": True, "misfire_grace_time": None},
    )
