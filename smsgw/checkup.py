"""The doctor: looks at settings, databases, channels and clock, and says how to mend what is wrong."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from smsgw.answers.wording import WordingError
from smsgw.app import create_provider
from smsgw.dispatch import quotas
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.registering import RegisteredError
from smsgw.dispatch.sender import LEASES
from smsgw.dossiers.source import OneStop, OneStopUnavailable
from smsgw.gateway import Gateway
from smsgw.reminders.rules import RulesError
from smsgw.resources import shipped
from smsgw.settings import ChannelSettings, Settings, secret_key_file
from smsgw.store import figures
from smsgw.store.database import Database, SchemaError, trouble
from smsgw.store.tables import inbound, metadata

LONGEST_WAIT = 300  # seconds that a due message may wait before a worker must be missing
MB = 1_000_000
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")  # what must not be off in PostgreSQL
THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
LEAST_ROOM = 500  # megabytes
MOST_NAMED = 6  # texts
ROWS = 200  # of the one-stop database
CLOCK_TOLERANCE = timedelta(seconds=30)
COMMIT = 0.5  # seconds that are left for everything but the look-up

_READ_ONLY = "SELECT current_user, current_schema(), current_setting('transaction_read_only') = 'on'"
_CLOSED = """
    SELECT name FROM unnest(CAST(:names AS text[])) AS name
    WHERE NOT (has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
        AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE'))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `detail` says what is wrong and what to do, or something worth knowing."""

    what: str
    ok: bool
    detail: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything, sending nothing."""
    try:
        gateway = Gateway(settings)
    except (WordingError, RulesError, RegisteredError) as error:
        what = "reminder rules" if isinstance(error, RulesError) else "wording"
        return [Finding(what, ok=False, detail=str(error))]
    try:
        return [Finding("settings", ok=True), *_findings(gateway)]
    finally:
        gateway.close()


def _findings(gateway: Gateway) -> Iterator[Finding]:
    database = _tried("gateway database", lambda: _usable(gateway.database))
    yield database
    yield _tried("one-stop database", lambda: _dossiers(gateway.onestop))
    if gateway.database.file is not None:
        yield _room(gateway.database.file.parent)
        yield _files(gateway.database.file, secret_key_file(gateway.settings))
    if database.ok:
        if not gateway.database.on_sqlite:
            yield _durability(gateway)
            yield _secret_key(gateway.settings)
        yield _clock(gateway)
        yield _queue(gateway)
        yield _reminders(gateway)
        yield _retention(gateway)
    for name, channel in gateway.channels.items():
        fault = (
            _known_to_all(gateway.settings.channels[name])
            or channel.provider.fault()
            or _too_slow(channel, gateway.settings.onestop.time_limit)
        )
        yield Finding(f"channel {name}", ok=False, detail=fault) if fault else _quota(channel, gateway)
        if channel.templates:
            yield _templates(gateway, channel)
    if provider := create_provider(gateway.settings):
        fault = provider.fault()
        yield Finding("OpenID Connect", ok=fault is None, detail=fault or "")


def _known_to_all(given: ChannelSettings) -> str | None:
    """Whether a carrier elsewhere is to be trusted by what the shipped settings have, which anybody can read."""
    extra, shown = given.model_extra or {}, tomllib.loads(shipped("settings.toml"))["channels"]["sms"]
    same = [key for key in ("token", "secret") if extra.get(key) == shown[key]]
    if not same or urlsplit(str(extra.get("url"))).hostname in THIS_MACHINE:
        return None
    return f"{' and '.join(same)} as in the shipped settings, which anybody can read: take others"


def _quota(channel: Channel, gateway: Gateway) -> Finding:
    """What a carrier that is well still takes today."""
    what, quota = f"channel {channel.name}", quotas.asked(channel, gateway.clock)
    if quota is None:
        return Finding(what, ok=True)
    left = f"{quota.remaining} of {quota.daily} messages of today's quota are left"
    if quota.remaining > 0:
        return Finding(what, ok=True, detail=left)
    return Finding(what, ok=False, detail=f"{left}; what it would carry goes by the next channel of its route, if any")


def _templates(gateway: Gateway, channel: Channel) -> Finding:
    """Which texts a carrier that takes only registered ones would refuse: worth knowing, as the route may go on."""
    # Who asks in a chat is answered there, and that needs no template.
    replies = () if channel.provider.abilities.scheme else gateway.wording.samples()
    texts = [*replies, *gateway.office.texts.samples()]
    refused = [where for where, text in texts if not channel.takes(text)]
    what = f"templates of {channel.name}"
    if not refused:
        return Finding(what, ok=True, detail=f"all {len(texts)} texts are registered")
    named = ", ".join(refused[:MOST_NAMED]) + (" ..." if len(refused) > MOST_NAMED else "")
    advice = "these go by the next channel of their route, or nowhere"
    return Finding(what, ok=True, detail=f"{len(refused)} of {len(texts)} texts have none there ({named}); {advice}")


def _too_slow(channel: Channel, look_up: float) -> str | None:
    """Whether a look-up may take longer than what waits for it: the carrier's callback, or what it is to be sent."""
    patience, lease = channel.provider.abilities.patience, LEASES * channel.provider.time_limit
    if patience is not None and look_up + COMMIT > (limit := patience.total_seconds()):
        waits = f"its carrier waits {limit:g} s for an answer"
    elif look_up + COMMIT > (limit := lease):
        waits = f"a reminder or notice must be on its way in {limit:g} s, {LEASES} times the channel's time_limit"
    else:
        return None
    return f"{waits}, and onestop.time_limit is {look_up:g} s; set that to {limit - COMMIT:g} or less"


def _usable(database: Database) -> Finding | None:
    """PostgreSQL tells anybody which columns there are, also who may not read them, and on a standby."""
    database.check()
    if database.on_sqlite:
        return None
    with database.reading() as connection:
        user, schema, read_only = connection.execute(sa.text(_READ_ONLY)).one()
        closed = connection.scalars(sa.text(_CLOSED), {"names": [table.name for table in metadata.sorted_tables]}).all()
    what = "gateway database"
    if read_only:
        advice = "it is a standby or was told to: let gateway.database name the server that writes"
        return Finding(what, ok=False, detail=f"takes no writes; {advice}")
    if closed:
        grant = f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO "{user}"'
        return Finding(what, ok=False, detail=f"{user} may not use the table {closed[0]}; as its owner: {grant}")
    return None


def _dossiers(onestop: OneStop) -> Finding:
    """A row that is no dossier is left out, and whoever asks for it is told that there is none."""
    what, (looked_at, faults) = "one-stop database", onestop.nonsense(ROWS)
    if not faults:
        return Finding(what, ok=True, detail="" if looked_at else "the view dossier_status has no rows yet")
    left_out = f"{len(faults)} of {looked_at} rows of dossier_status make no sense and are left out"
    return Finding(what, ok=False, detail=f"{left_out}, such as {faults[0]}; mend the view, see docs/one-stop.md")


def _tried(what: str, check: Callable[[], Finding | None]) -> Finding:
    try:
        return check() or Finding(what, ok=True)
    except (SchemaError, OneStopUnavailable) as error:
        return Finding(what, ok=False, detail=str(error))
    except sa.exc.SQLAlchemyError as error:
        return Finding(what, ok=False, detail=f"can't be reached: {trouble(error)}; check its URL and rights")
    except OSError as error:
        return Finding(what, ok=False, detail=f"can't be reached: {error.strerror}; check its URL and rights")


def _room(folder: Path) -> Finding:
    """A full disk is the one thing that a database which is read well does not show."""
    # What is not there yet is made by init.
    there = next(above for above in (folder, *folder.absolute().parents) if os.path.exists(above))
    free = shutil.disk_usage(there).free // MB
    detail = f"{free} MB are left in {folder}"
    return Finding("disk", ok=free >= LEAST_ROOM, detail=detail if free >= LEAST_ROOM else f"only {detail}; make room")


def _files(database: Path, secret_key: Path) -> Finding:
    """Whether this user may use what is there: a command that root gave leaves files that the gateway can't write."""
    ours = [*(database.with_name(database.name + end) for end in ("", "-wal", "-shm", ".lock")), secret_key]
    closed = [
        path for path in (database.parent, *ours) if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK)
    ]
    if not closed:
        return Finding("files", ok=True)
    advice = "give commands as the user who runs the gateway, to whom all in that folder belongs (chown)"
    return Finding("files", ok=False, detail=f"{closed[0]} can't be read and written by this user; {advice}")


def _durability(gateway: Gateway) -> Finding:
    """Whether PostgreSQL keeps what it says that it has kept; on SQLite the gateway sees to that itself."""
    with gateway.database.reading() as connection:
        names = sa.text("SELECT name FROM pg_settings WHERE setting = 'off' AND name IN :names ORDER BY name")
        off = connection.scalars(names.bindparams(sa.bindparam("names", DURABLE, expanding=True))).all()
    if not off:
        return Finding("durability", ok=True)
    risk = "what was acknowledged may be lost when the power fails"
    return Finding("durability", ok=False, detail=f"PostgreSQL has {' = off, '.join(off)} = off: {risk}; set it to on")


def _secret_key(settings: Settings) -> Finding:
    """Whether several nodes would know each other's sessions: worth knowing, as one node needs no common key."""
    common = settings.gateway.secret_key.get_secret_value()
    advice = "this machine has its own: where others run nodes, too, set gateway.secret_key to the same text on all"
    return Finding("secret key", ok=True, detail="" if common else advice)


def _clock(gateway: Gateway) -> Finding:
    """Against the database server's clock, and against the newest message: time must not run backwards."""
    now = gateway.clock()
    with gateway.database.reading() as connection:
        newest = connection.scalar(sa.select(sa.func.max(inbound.c.received_at)))
        theirs: datetime = now if gateway.database.on_sqlite else connection.scalars(sa.select(sa.func.now())).one()
    if abs(theirs - now) > CLOCK_TOLERANCE:
        which = "behind" if theirs > now else "ahead of"
        off = f"is {abs(theirs - now) / timedelta(minutes=1):.1f} minutes {which} the database server's"
        return Finding("clock", ok=False, detail=f"{off}; set both by NTP")
    if newest is not None and newest > now + CLOCK_TOLERANCE:
        return Finding("clock", ok=False, detail=f"is behind the newest message of {newest:%Y-%m-%d %H:%M} UTC; set it")
    return Finding("clock", ok=True, detail=f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _queue(gateway: Gateway) -> Finding:
    now = gateway.clock()
    with gateway.database.reading() as connection:
        outbox = figures.outbox(connection, now, gateway.hours.opened(now))
    closed = [
        f"channel {name} is {channel.state}: {channel.reason}"
        for name, channel in outbox.channels.items()
        if channel.state != "open" and name in gateway.channels  # others were taken out of the settings
    ]
    if closed:
        return Finding("outbox", ok=False, detail=f"{'; '.join(closed)}; what is held needs smsgw channel release NAME")
    if outbox.oldest_queued_seconds > LONGEST_WAIT:
        waited = f"a due message has waited {outbox.oldest_queued_seconds:.0f} s"
        asked = [
            f"channel {name} waits as its carrier asked until {channel.resume_at:%H:%M} UTC"
            for name, channel in outbox.channels.items()
            if channel.resume_at
        ]
        why = "; ".join(asked) or "is a node with the role worker running?"
        return Finding("outbox", ok=False, detail=f"{waited}; {why}")
    return Finding("outbox", ok=True)


def _reminders(gateway: Gateway) -> Finding:
    if not gateway.reminders.runs.begun():
        return Finding("reminders", ok=True, detail="none yet: no node with the role scheduler has been started")
    silent = "; ".join(f"{name}: {why}" for name, why in gateway.reminders.runs.silence().items())
    advice = "; is a node with the role scheduler running, and the one-stop database there?"
    return Finding("reminders", ok=not silent, detail=f"{silent}{advice}" if silent else "")


def _retention(gateway: Gateway) -> Finding:
    silent = gateway.retention.silence()
    advice = "what is old has not been removed for two days; is a node with the role scheduler running?"
    return Finding("retention", ok=not silent, detail=advice if silent else "")
