"""What the settings say, as the parts of a gateway take it: one function for each part. It starts nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from providers.templates import Choosy
from smsgw.answers.answering import Answers
from smsgw.answers.answering import Limits as AnswerLimits
from smsgw.answers.wording import Wording
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.hours import Hours, no_holidays
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Route, Routes
from smsgw.dispatch.sender import OTHERS, REPLIES
from smsgw.dossiers.calendar import is_holiday
from smsgw.notices.means import Rules
from smsgw.reminders.office import Plan
from smsgw.retention.limits import Limits
from smsgw.settings import ChannelSettings, Settings
from smsgw.store.tables import Lane


def channel(name: str, settings: ChannelSettings) -> Channel:
    """A channel with its provider connected, which reaches nobody yet."""
    config = settings.config()
    provider = settings.module().connect(config)
    batch = min(settings.batch, provider.abilities.largest_batch)
    secrets = tuple(value.get_secret_value() for _, value in config if isinstance(value, SecretStr))
    templates = provider.templates if isinstance(provider, Choosy) else None
    pace = Pace(settings.tps, batch, settings.reply_share)
    return Channel(name, settings.sender, provider, pace, batch, secrets, templates)


def senders(channel: Channel) -> tuple[Collection[Lane], ...]:
    """The lanes of each of a channel's senders. Where many batches go out in a second, two calls overlap."""
    fast = channel.pace.tps > 5 * channel.batch
    return (REPLIES, OTHERS, OTHERS) if fast else (REPLIES, OTHERS)


def routes(settings: Settings, channels: Collection[Channel]) -> Routes:
    """Which channels take a message, by what it is for and whom it goes to."""
    chosen = [
        Route(frozenset(Lane[purpose.upper()] for purpose in route.purposes), route.channels, route.prefixes)
        for route in settings.routes
    ]
    chats = defaultdict(list)
    for each in channels:
        if scheme := each.provider.abilities.scheme:
            chats[scheme].append(each.name)
    return Routes(chosen, default=next(iter(settings.channels)), chats=chats)


def hours(settings: Settings) -> Hours:
    """When nobody is written to unasked, by the clock of the province."""
    quiet, zone = settings.quiet_hours, ZoneInfo(settings.gateway.timezone)
    return Hours(quiet.start, quiet.end, zone, is_holiday if quiet.holidays else no_holidays)


def tariffs(settings: Settings) -> dict[str, int]:
    """What a segment costs, in đồng, by channel."""
    return {name: channel.tariff for name, channel in settings.channels.items()}


def plan(settings: Settings, hours: Hours) -> Plan:
    """What reminders go by."""
    return Plan(
        rules=settings.reminders.rules,
        timezone=settings.gateway.timezone,
        hotline=settings.answers.hotline,
        hours=hours,
        overlap=timedelta(seconds=settings.reminders.overlap),
        most_a_day=settings.reminders.most_a_day,
        digest=settings.reminders.digest,
    )


def notice_rules(settings: Settings) -> Rules:
    """What a notice may be, and from how many people on somebody else must approve it."""
    given = settings.notices
    valid = timedelta(hours=given.valid_hours)
    return Rules(given.approval_from, given.most_segments, valid, given.monthly_segments, given.budgets)


def limits(settings: Settings) -> Limits:
    """For how long things are kept."""
    kept = settings.retention
    return Limits(kept.messages, kept.notices, kept.complaints, kept.ratings, kept.audit)


def answers(settings: Settings, wording: Wording) -> Answers:
    limits = AnswerLimits(
        settings.answers.slow_after_misses, settings.answers.refuse_after_misses, settings.answers.most_followed
    )
    return Answers(
        wording,
        timezone=settings.gateway.timezone,
        hotline=settings.answers.hotline,
        limits=limits,
        words=settings.words,
    )
