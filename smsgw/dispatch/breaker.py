"""Whether a channel is worth calling. Pure: what is known of it goes in with what happened, and comes out again.

    open ──(calls fail in a row, or most of those lately)──> tripped ──(a probe goes well)──> open
      │                                                         │ ^
      ├──(the carrier refuses our credentials)──> held          └─┘ (a probe fails: a longer pause)
      └──(an official says so)──> paused

A tripped channel is sent nothing but probes, which carry no message. After a probe that goes well, one failed call is
enough to trip it again. What is held or paused waits for a person; what is held also for a restart, before which
somebody will have mended the settings.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

from smsgw.store.channels import Channel, State

FAILURES_IN_A_ROW = 5
FAILED_SHARE = 0.5
ENOUGH_CALLS = 6.0  # lately, before their share says anything; at ten calls a minute there are some 14
HALF_LIFE = 60.0  # seconds in which a call comes to count half
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=2)
MOST_TRIPS = 10  # that are counted: the pause has long been the longest, and the row's number has an end


def called(channel: Channel, failure: str | None, now: datetime) -> Channel:
    """After a call that was answered, or that failed for the reason given."""
    if channel.state != "open":
        return channel  # another node closed it in the meantime
    faded = math.exp2(-max(0.0, (now - channel.counted_at).total_seconds()) / HALF_LIFE)
    after = replace(
        channel,
        failures=channel.failures + 1 if failure else 0,
        # Only a call that goes well after a probe shows that the channel is well again.
        trips=channel.trips if failure else 0,
        calls=channel.calls * faded + 1,
        failed=channel.failed * faded + bool(failure),
        counted_at=max(now, channel.counted_at),
    )
    if not failure:
        return after
    if after.failures >= FAILURES_IN_A_ROW:
        return _tripped(after, f"{after.failures} calls in a row failed, the last one: {failure}", now)
    if after.calls >= ENOUGH_CALLS and after.failed >= FAILED_SHARE * after.calls:
        share = f"{100 * after.failed / after.calls:.0f} % of the latest calls failed"
        return _tripped(after, f"{share}, the last one: {failure}", now)
    return after


def refused(channel: Channel, reason: str, now: datetime) -> Channel:
    """After the carrier refused our credentials."""
    if channel.state == "paused":
        return channel  # that is known when it is released
    return _changed(channel, "held", reason, now)


def paused(channel: Channel, reason: str, now: datetime) -> Channel:
    """After an official said that nothing is to be sent by it."""
    return replace(_changed(channel, "paused", reason, now), resume_at=None)


def restarted(channel: Channel, now: datetime) -> Channel:
    """After a worker was started. That ends no pause that an official made, or that the carrier asked for."""
    return channel if channel.state in ("open", "paused") else released(channel, "a worker was started", now)


def probed(channel: Channel, failure: str | None, now: datetime) -> Channel:
    """After a probe of a tripped channel."""
    if failure:
        return _tripped(channel, f"a probe failed: {failure}", now)
    opened = _changed(channel, "open", "a probe went well", now)
    return replace(opened, failures=FAILURES_IN_A_ROW - 1, calls=0.0, failed=0.0, resume_at=None)


def released(channel: Channel, reason: str, now: datetime) -> Channel:
    """After a person said that it is mended; one that is open also waits no more as its carrier had asked."""
    if channel.state == "open":
        return replace(channel, resume_at=None)
    opened = _changed(channel, "open", reason, now)
    return replace(opened, failures=0, trips=0, calls=0.0, failed=0.0, resume_at=None)


def _tripped(channel: Channel, reason: str, now: datetime) -> Channel:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**channel.trips)
    trips = min(channel.trips + 1, MOST_TRIPS)
    return replace(_changed(channel, "tripped", reason, now), trips=trips, resume_at=now + pause)


def _changed(channel: Channel, state: State, reason: str, now: datetime) -> Channel:
    since = now if state != channel.state else channel.changed_at
    return replace(channel, state=state, reason=reason, changed_at=since)
