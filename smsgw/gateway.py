"""The gateway put together from its settings: which parts there are, and how they are started and stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Literal, get_args

import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler

from smsgw.answers.answering import Answers, Limits
from smsgw.answers.wording import Wording
from smsgw.clock import Clock, utc_now
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.sender import Sender
from smsgw.dispatch.sweep import sweep
from smsgw.dossiers.source import OneStop
from smsgw.intake.clerk import Clerk
from smsgw.intake.intake import Intake
from smsgw.settings import ChannelSettings, Settings
from smsgw.store import channels as channel_rows
from smsgw.store.database import Database

Role = Literal["web", "worker", "scheduler"]
ROLES: tuple[Role, ...] = get_args(Role)
SWEEP_EVERY = 1  # seconds
ANSWER_WAITING_EVERY = 2  # seconds
LONGEST_DRAIN = 20.0  # seconds that stopping waits for calls in hand

log = logging.getLogger("smsgw")


class Gateway:
    """Every part of a running gateway. The clock can be set by tests."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.database = Database(settings.gateway.database)
        self.onestop = OneStop(settings.onestop.database, timeout=settings.onestop.time_limit)
        self.channels: Mapping[str, Channel] = {
            name: _channel(name, channel) for name, channel in settings.channels.items()
        }
        self.senders = {name: Sender(self.database, channel, clock=clock) for name, channel in self.channels.items()}
        self.clerk = Clerk(
            self.database,
            self.onestop,
            _answers(settings),
            settings.words,
            same_text_limit=settings.answers.same_text_limit,
        )
        self.intake = Intake(
            self.database,
            self.clerk,
            self.channels,
            wake=self._wake,
            apologise_after=timedelta(seconds=settings.onestop.apologise_after),
            clock=clock,
        )
        self._ticker = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
        self._roles: Collection[Role] = ()

    def start(self, roles: Collection[Role] = ROLES) -> None:
        """Begin the work of these roles. Raises SchemaError or the database's error if that is not ready."""
        self.database.create()
        self._roles = roles
        with self.database.writing() as connection:
            for name in self.channels:
                channel_rows.ensure(connection, name, self.clock())
                # Whoever starts a worker has seen to the settings; if not, the carrier says so at the first call.
                if "worker" in roles:
                    channel_rows.release(connection, name)
        if "worker" in roles:
            for sender in self.senders.values():
                sender.start()
            self._every(SWEEP_EVERY, self.sweep)
        if "scheduler" in roles:
            self._every(ANSWER_WAITING_EVERY, self.intake.answer_waiting)
        self._ticker.start()

    def stop(self) -> None:
        """Let calls in hand end, then let go of everything."""
        if self._ticker.running:
            self._ticker.shutdown(wait=True)
        if "worker" in self._roles:
            for sender in self.senders.values():
                sender.stop(LONGEST_DRAIN)
        self.close()

    def close(self) -> None:
        """Let go of connections; for a gateway that was never started."""
        for channel in self.channels.values():
            channel.provider.close()
        self.onestop.close()
        self.database.close()

    def sweep(self) -> int:
        """Settle what is past its deadline."""
        abilities = {name: channel.provider.abilities for name, channel in self.channels.items()}
        return sweep(self.database, abilities, self.clock)

    def _every(self, seconds: int, work: Callable[[], int]) -> None:
        def guarded() -> None:
            try:
                work()
            except sa.exc.SQLAlchemyError as error:
                log.warning("the database failed: %s", type(error).__name__)

        self._ticker.add_job(guarded, "interval", seconds=seconds)

    def _wake(self, channel: str) -> None:
        self.senders[channel].wake()


def _channel(name: str, settings: ChannelSettings) -> Channel:
    provider = settings.module().connect(settings.config())
    batch = min(settings.batch, provider.abilities.largest_batch)
    return Channel(name, settings.sender, provider, Pace(settings.tps, batch), batch)


def _answers(settings: Settings) -> Answers:
    limits = Limits(settings.answers.slow_after_misses, settings.answers.refuse_after_misses)
    return Answers(
        Wording.load(settings.answers.wording),
        timezone=settings.gateway.timezone,
        hotline=settings.answers.hotline,
        limits=limits,
    )
