"""The gateway put together from its settings: which parts there are, and how they are started and stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from providers.contract import Connected, Renewing
from smsgw import assembly
from smsgw.answers.answering import Answers
from smsgw.answers.linking import Linking
from smsgw.answers.wording import Wording
from smsgw.clock import Clock, utc_now
from smsgw.dispatch import quotas
from smsgw.dispatch.breaker import restarted
from smsgw.dispatch.channel import Roads
from smsgw.dispatch.keys import KeyRing
from smsgw.dispatch.registering import register
from smsgw.dispatch.sender import Sender
from smsgw.dispatch.sweep import Sweeper
from smsgw.dispatch.vetting import in_turn
from smsgw.dossiers.source import OneStop
from smsgw.intake.chat_desk import ChatDesk
from smsgw.intake.clerk import Clerk
from smsgw.intake.intake import Intake
from smsgw.intake.receiver import LineReceiver
from smsgw.intake.reports import Reports
from smsgw.intake.voices import VoiceDesk
from smsgw.notices.audience.lines import MIB
from smsgw.notices.audience.lines import Limits as FileLimits
from smsgw.notices.feeding import Feeder
from smsgw.notices.means import Means
from smsgw.notices.office import Notices
from smsgw.notices.personal import Personal
from smsgw.notices.vetting import NoticeVet
from smsgw.officials.accounts import Accounts
from smsgw.officials.activity import Activity
from smsgw.officials.requests import Requests
from smsgw.officials.signing_in import SigningIn
from smsgw.officials.steering import Steering
from smsgw.officials.systems import Systems
from smsgw.reminders.office import Office, open_office
from smsgw.retention.daily import Daily
from smsgw.retention.purge import Purge
from smsgw.settings import Settings
from smsgw.store import channels as channel_rows
from smsgw.store.clock import CommonClock
from smsgw.store.database import Database, trouble
from smsgw.store.schedules import Stopped
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell, Listener
from smsgw.ticker import ticker

Role = Literal["web", "worker", "scheduler"]
ROLES: tuple[Role, ...] = get_args(Role)
TICK = 1  # seconds
FEED_EVERY = 0.25
ANSWER_WAITING_EVERY = 2
LATE_PARTS_EVERY = 30
MATCH_EVERY = 10
ACCOUNTS_EVERY = 30
FORGET_EVERY = 30
RETIRE_EVERY = 60
REMIND_EVERY = 5
KEEP_DAYS_EVERY = 60
PURGE_EVERY = 60
LONGEST_DRAIN = 20.0  # seconds that stopping waits for calls in hand

log = logging.getLogger("smsgw")


class Gateway:
    """Every part of a running gateway. A `clock` that is given is taken at its word, as tests need it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.database = Database(settings.gateway.database)
        self.common_clock = CommonClock(self.database, utc_now)
        self.clock = clock = clock or self.common_clock
        self.onestop = OneStop(settings.onestop.database, timeout=settings.onestop.time_limit)
        channels = [assembly.channel(*item) for item in settings.channels.items()]
        self.roads = Roads(channels, assembly.routes(settings, channels))
        self.channels = self.roads.channels
        self.keys = [*self._key_rings()]
        self.hours = assembly.hours(settings)
        self.bell = Bell(self.database)
        self.wording = wording = Wording.load(settings.answers.wording)
        self.office = self._office(wording)
        self.reminders = self.office.reminders
        self._register_texts()
        self.senders = [*self._new_senders()]
        self.sweeper = Sweeper(self.database, self.roads, clock)
        self.listener = Listener(self.database, self._wake_ours, self._wake_all)
        answers = assembly.answers(settings, wording)
        self.clerk = self._new_clerk(answers)
        self.intake = self._new_intake(wording)
        self.reports = Reports(self.database, clock)
        self.voices = VoiceDesk(self.database, answers, self.roads, self.bell, clock)
        means = self._means()
        self.notices = Notices(means)
        self.personal = Personal(means, self.bell)
        self.feeder = self._new_feeder(means)
        self.limits = FileLimits(settings.notices.largest_file * MIB, settings.notices.most_rows)
        self.accounts = Accounts(self.database, clock)
        self.systems = Systems(self.database, clock)
        self.requests = Requests(self.database, clock)
        self.steering = Steering(self.database, clock)
        zone = ZoneInfo(settings.gateway.timezone)
        self.purge = Purge(self.database, self.office.candidates, assembly.limits(settings), clock)
        self.retention = Daily(self.database, self.purge, zone, clock)
        self.activity = Activity(self.database, clock, zone, assembly.tariffs(settings))
        self.signing_in = self._new_signing_in()
        self._ticker = ticker()
        self._roles: Collection[Role] = ()

    def start(self, roles: Collection[Role] = ROLES) -> None:
        """Begin the work of these roles. Raises SchemaError or the database's error if that is not ready."""
        self.database.create()
        self._roles = roles
        self.common_clock.compare()
        self._meet_channels()
        self._every(TICK, self.tick)
        if "worker" in roles:
            self.bell.ours = self._wake_ours
            self._hold_lines()
            for sender in self.senders:
                sender.start()
            self.listener.start()
            self._every(TICK, self.sweeper.probes)
            self._every(MATCH_EVERY, self.sweeper.late_receipts)
            self._every(ACCOUNTS_EVERY, self.tend_accounts, at_once=True)
            self._every(FORGET_EVERY, self.sweeper.forgotten)
            self._every(RETIRE_EVERY, self.sweeper.history)
            self._every(RETIRE_EVERY, self.sweeper.traces)
        if "scheduler" in roles:
            self._every(ANSWER_WAITING_EVERY, self.intake.answer_waiting)
            self._every(LATE_PARTS_EVERY, self.intake.take_late_parts)
            self._every(FEED_EVERY, self.feeder.feed)
            self._every(TICK, self.feeder.tend)
            self.reminders.runs.meet()
            self._every(REMIND_EVERY, self.reminders.runs.tick, at_once=True)
            # At once, before what ended in days that nobody counted becomes history.
            self._every(KEEP_DAYS_EVERY, self.activity.keep_days, at_once=True)
            self.retention.meet()
            self._every(PURGE_EVERY, self.retention.tick)
        self._ticker.start()

    def stop(self) -> None:
        """Let calls in hand end, then let go of everything."""
        works = "worker" in self._roles
        end = time.monotonic() + LONGEST_DRAIN
        for worker in (self.retention, self.reminders.runs, self.feeder, self.sweeper):
            worker.stop()
        for sender in self.senders if works else ():
            sender.finish()
        if self._ticker.running:
            self._end_jobs(LONGEST_DRAIN)
        if works:
            self.listener.stop()
            for sender in self.senders:
                sender.stop(max(0.0, end - time.monotonic()))
        self.close()

    def close(self) -> None:
        """Let go of connections; for a gateway that was never started."""
        for channel in self.channels.values():
            channel.provider.close()
        self.onestop.close()
        self.office.candidates.close()
        self.database.close()

    def tick(self) -> None:
        """Look at the clock and the channels, and settle what is past its deadline if that is this node's work."""
        self.common_clock.compare()
        self.roads.look(self.database)
        if "worker" in self._roles:
            self.sweep()

    def sweep(self) -> int:
        """Settle what is past its deadline."""
        if moved := self.sweeper.deadlines():
            self._wake_all()
        return moved

    def tend_accounts(self) -> None:
        """Renew the tokens that are due, unless another node does, and then ask what is left of quotas."""
        for ring in self.keys:
            ring.keep_fresh()
        quotas.ask(self.database, self.channels.values(), self.clock)

    def _end_jobs(self, seconds: float) -> None:
        """None of the ticker's jobs goes on after the statement or call in hand; a search that hangs has so long."""
        impatient = threading.Timer(seconds, self.office.candidates.close)
        impatient.start()
        self._ticker.shutdown(wait=True)
        impatient.cancel()

    def _register_texts(self) -> None:
        told = (text for rule in self.reminders.rules.values() for text in rule.registered)
        register(self.channels, [*self.wording.registered, *told])

    def _new_senders(self) -> Iterator[Sender]:
        vet = in_turn(NoticeVet(self.database, self.onestop, self.clock), self.office.vet)
        for channel in self.channels.values():
            for lanes in assembly.senders(channel) if channel.provider.abilities.submits else ():
                yield Sender(
                    self.database,
                    channel,
                    self.roads,
                    lanes,
                    clock=self.clock,
                    hours=self.hours,
                    vet=vet,
                )

    def _serving(self, lane: Lane) -> dict[str, list[Sender]]:
        """The senders of this node for a lane, by channel."""
        return {name: [one for one in self.senders if one.serves(name, lane)] for name in self.channels}

    def _new_clerk(self, answers: Answers) -> Clerk:
        same_text_limit = self.settings.answers.same_text_limit
        return Clerk(self.database, self.onestop, answers, same_text_limit=same_text_limit)

    def _new_intake(self, wording: Wording) -> Intake:
        linking = Linking(wording, hotline=self.settings.answers.hotline)
        return Intake(
            self.database,
            ChatDesk(self.database, linking, self.settings.words),
            self.clerk,
            self.roads,
            bell=self.bell,
            senders=self._serving(Lane.REPLY),
            apologise_after=timedelta(seconds=self.settings.onestop.apologise_after),
            clock=self.clock,
        )

    def _new_feeder(self, means: Means) -> Feeder:
        fast = {name: senders for name, senders in self._serving(Lane.NOTICE).items() if len(senders) > 1}
        return Feeder(means, self.bell, fast)

    def _means(self) -> Means:
        tariffs, rules = assembly.tariffs(self.settings), assembly.notice_rules(self.settings)
        return Means(self.database, self.roads, self.hours, self.clock, tariffs, rules)

    def _new_signing_in(self) -> SigningIn:
        given = self.settings.console
        idle, longest = timedelta(minutes=given.idle_minutes), timedelta(hours=given.session_hours)
        return SigningIn(self.database, self.clock, idle=idle, longest=longest)

    def _key_rings(self) -> Iterator[KeyRing]:
        for name, channel in self.channels.items():
            if isinstance(channel.provider, Renewing):
                ring = KeyRing(self.database, name, channel.provider, self.clock)
                channel.provider.use(ring)
                yield ring

    def _hold_lines(self) -> None:
        for channel in self.channels.values():
            if isinstance(channel.provider, Connected):
                receiver = LineReceiver(self.database, channel, self.intake, self.reports, self.clock)
                channel.provider.hold(receiver)

    def _meet_channels(self) -> None:
        with self.database.writing("meet channels") as connection:
            now = self.clock()
            for name in sorted(self.channels):  # in the order in which others lock them, too
                channel_rows.ensure(connection, name, now)
                # Whoever starts a worker has seen to the settings; if not, the carrier says so at the first call.
                if "worker" in self._roles:
                    before = channel_rows.lock(connection, name)
                    channel_rows.write(connection, before, restarted(before, now), now)

    def _office(self, wording: Wording) -> Office:
        plan, url = assembly.plan(self.settings, self.hours), self.settings.onestop.database
        return open_office(plan, wording, self.database, self.onestop, url, self.roads, self.bell, self.clock)

    def _every(self, seconds: float, work: Callable[[], object], *, at_once: bool = False) -> None:
        name = work.__qualname__

        def guarded() -> None:
            try:
                work()
            except Stopped:
                log.info("%s stops where it is", name)
            except sa.exc.SQLAlchemyError as error:
                log.warning("the database failed: %s", trouble(error))

        first = {"next_run_time": utc_now()} if at_once else {}
        self._ticker.add_job(guarded, "interval", seconds=seconds, name=name, **first)

    def _wake_all(self) -> None:
        for sender in self.senders:
            sender.wake()

    def _wake_ours(self, channel: str, lane: Lane) -> None:
        for sender in self.senders:
            if sender.serves(channel, lane):
                sender.wake()
