"""What is removed from each table when it is old. What is not final, or referred to by what stays, stays.

Rows that refer to others go first, so the order of the lists matters. Which tables are not here, and why, is said in
docs/operating.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.store.batch import Batch
from smsgw.store.exchanges import KEPT_FOR
from smsgw.store.lines import UNPROVED_FOR
from smsgw.store.reminders import OWNER, UNTRUE
from smsgw.store.removing import PAGE, Bounds, Hands, Page, Pages, Removal, by_age, by_id, by_key, by_search, older
from smsgw.store.schedules import KEPT
from smsgw.store.states import State
from smsgw.store.systems import REQUESTED_FOR
from smsgw.store.tables import (
    api_message,
    api_request,
    attempt,
    callback_group,
    channel_event,
    exchange,
    follower,
    history,
    inbound,
    inbound_part,
    notice,
    notice_event,
    notice_left_out,
    notice_problem,
    notice_recipient,
    notice_sheet,
    official_session,
    outbound,
    preference,
    rating,
    receipt,
    reminder,
    run,
    signin_failure,
    unproved,
    voice,
    zalo_link,
    zalo_user,
)

SIGNED_IN = timedelta(days=7)  # no session lasts longer
FAILED = timedelta(days=1)  # in which tries to sign in count
LINKED = timedelta(days=7)  # codes are good for minutes, and counted for a day
FOLLOWED = timedelta(days=90)  # after its last change a dossier that has ended is followed no more

Yes = sa.ColumnElement[bool]
_h, _i, _n, _r, _v = history.c, inbound.c, notice.c, notice_recipient.c, voice.c


def ended(bounds: Bounds) -> Yes:
    """Whether a notice is over, and its recipients are old."""
    return sa.and_(_n.state.in_(("done", "cancelled")), older(_n.changed_at, bounds.notices))


def _closed(bounds: Bounds) -> Yes:
    return sa.and_(_v.state == "closed", older(_v.closed_at, bounds.complaints))


def _no(*which: Yes) -> Yes:
    return ~sa.exists(sa.select(1).where(*which))


def _message_out(own: Bounds, referring: Bounds) -> Yes:
    of_a_notice = _no(_r.message_id == _h.id, _n.id == _r.notice_id, ~ended(referring))
    return sa.and_(older(_h.finished_at, own.messages), of_a_notice)


def _message_in(own: Bounds, referring: Bounds) -> Yes:
    return sa.and_(
        older(_i.received_at, own.messages),
        _i.state != "waiting",
        _no(outbound.c.in_reply_to == _i.id),
        _no(_h.in_reply_to == _i.id, ~older(_h.finished_at, referring.messages)),
        _no(_v.id == _i.id, ~_closed(referring)),
    )


def _notice(own: Bounds, referring: Bounds) -> Yes:
    recipients = _no(_r.notice_id == _n.id, ~older(_n.changed_at, referring.notices))
    return sa.and_(_n.state.in_(("done", "cancelled")), older(_n.changed_at, own.audit), recipients)


def _old_reminder(own: Bounds) -> Yes:
    return sa.and_(older(reminder.c.at, own.messages), _no(outbound.c.id == reminder.c.message))


def _told_to_others(own: Bounds, _: Bounds) -> Yes:
    # Who still follows the dossier, or has refused to, would be told again without it.
    follows = (follower.c.phone == reminder.c.told_to, follower.c.code == reminder.c.dossier)
    return sa.and_(_old_reminder(own), reminder.c.told_to != OWNER, _no(*follows))


def _told_to_owner(own: Bounds, _: Bounds) -> Yes:
    return sa.and_(_old_reminder(own), reminder.c.told_to == OWNER, reminder.c.recipient.is_not(None))


def _wish(own: Bounds, _: Bounds) -> Yes:
    """Of somebody with whom nothing was exchanged for long."""
    phone = preference.c.phone
    return sa.and_(
        older(preference.c.updated_at, own.messages),
        _no(_i.sender == phone, ~older(_i.received_at, own.messages)),
        _no(outbound.c.recipient == phone),
        _no(_h.recipient == phone, ~older(_h.created_at, own.messages)),
    )


def _withdrawn(given: sa.FromClause) -> sa.Executable:
    """A reminder that was never told, as it was not so any more, is free again; its message is what says so."""
    untold = sa.select(_h.id).join(given, given.c.id == _h.id)
    untold = untold.where(_h.state == State.CANCELLED, _h.error_code == UNTRUE)
    return sa.delete(reminder).where(reminder.c.message.in_(untold))


def _after(what: str, age: sa.Column[datetime], kept: timedelta, pages: Pages) -> Removal:
    """Rows that go when they are that old, whatever the settings say."""
    return Removal(what, age.table, lambda bounds: bounds.now - kept, pages, lambda own, _: age < own.now - kept)


# What the sweeps remove all the time, so that it never grows to much.
TRACES = (
    _after("calls to carriers", exchange.c.at, KEPT_FOR, by_age(exchange.c.at)),
    _after("calls of carriers", callback_group.c.at, KEPT_FOR, by_age(callback_group.c.at)),
    _after("requests of other systems", api_request.c.at, REQUESTED_FOR, by_age(api_request.c.at)),
    _after(
        "messages that may be brought again", unproved.c.received_at, UNPROVED_FOR, by_search(unproved.c.received_at)
    ),
)


def old_notices(hands: Hands, before: datetime, parts: sa.Table = notice_recipient) -> Iterator[str]:
    """The ids of notices that ended before, and have rows in a table of their parts."""
    old = Bounds(before, notices=before)
    for page in by_age(_n.created_at)(hands, before):
        ids = sa.select(_n.id).where(_n.id.in_([id for (id,) in page]), ended(old))
        with hands.reading() as connection:
            found = connection.scalars(ids.where(~_no(parts.c.notice_id == _n.id))).all()
        yield from found


def _parts(place: sa.Column[int]) -> Pages:
    """The parts of notices that have ended, notice by notice."""
    of, walk = place.table.c.notice_id, place.table.primary_key

    def pages(hands: Hands, before: datetime) -> Iterator[Page]:
        for id in old_notices(hands, before, place.table):
            query, last = sa.select(*walk).where(of == id).order_by(place).limit(PAGE), -1
            while True:
                with hands.reading() as connection:
                    rows = [*connection.execute(query.where(place > last)).all()]
                if rows:
                    yield rows
                    last = rows[-1][1]
                if len(rows) < PAGE:
                    break

    return pages


def _part(what: str, place: sa.Column[int]) -> Removal:
    of = place.table.c.notice_id
    return Removal(
        what, place.table, lambda bounds: bounds.notices, _parts(place), lambda own, _: ~_no(_n.id == of, ended(own))
    )


RECIPIENTS = _part("recipients of notices", _r.line)
SHEETS = _part("parts of the lists of notices", notice_sheet.c.last_line)
PROBLEMS = _part("faults in the files of notices", notice_problem.c.number)
LEFT_OUT = _part("rows that notices do not go to", notice_left_out.c.line)
NOTICES = Removal(
    "notices",
    notice,
    lambda bounds: bounds.audit,
    by_age(_n.created_at),
    _notice,
    with_it=tuple(table.c.notice_id for table in (notice_problem, notice_left_out, notice_sheet, notice_event)),
)
COMPLAINTS = Removal(
    "complaints that are closed",
    voice,
    lambda bounds: bounds.complaints,
    by_id(_v.closed_at, _v.state == "closed"),
    lambda own, _: _closed(own),
)
MESSAGES = (
    Removal(
        "messages to citizens",
        history,
        lambda bounds: bounds.messages,
        by_id(_h.finished_at),
        _message_out,
        first=_withdrawn,
        with_it=(attempt.c.outbound_id, receipt.c.outbound_id, api_message.c.message_id),
    ),
    Removal("messages from citizens", inbound, lambda bounds: bounds.messages, by_age(_i.received_at), _message_in),
    Removal(
        "parts of texts whose channel is gone",
        inbound_part,
        lambda bounds: bounds.messages,
        by_age(inbound_part.c.received_at),
        lambda own, _: older(inbound_part.c.received_at, own.messages),
    ),
    Removal(
        "receipts of messages that are gone",
        receipt,
        lambda bounds: bounds.messages,
        by_age(receipt.c.received_at, receipt.c.outbound_id.is_(None)),
        lambda own, _: sa.and_(older(receipt.c.received_at, own.messages), receipt.c.outbound_id.is_(None)),
    ),
)
REMINDERS = (
    Removal(
        "reminders to followers and officials",
        reminder,
        lambda bounds: bounds.messages,
        by_key(reminder.c.at, reminder.c.told_to != OWNER),
        _told_to_others,
    ),
    # The rest of the row is the key, which keeps its owner from being told again.
    Removal(
        "phones in reminders to owners",
        reminder,
        lambda bounds: bounds.messages,
        by_key(reminder.c.at, reminder.c.recipient.is_not(None)),
        _told_to_owner,
        blank=(reminder.c.recipient,),
    ),
)
PEOPLE = (
    Removal(
        "wishes of people who are silent",
        preference,
        lambda bounds: bounds.messages,
        by_key(preference.c.updated_at),
        _wish,
    ),
    Removal(
        "people in a chat who have left",
        zalo_user,
        lambda bounds: bounds.messages,
        by_key(zalo_user.c.seen_at),
        lambda own, _: sa.and_(older(zalo_user.c.seen_at, own.messages), ~zalo_user.c.follows),
    ),
    _after("codes for linking a phone", zalo_link.c.created_at, LINKED, by_id(zalo_link.c.created_at)),
    Removal(
        "ratings",
        rating,
        lambda bounds: bounds.ratings,
        by_age(rating.c.rated_at),
        lambda own, _: older(rating.c.rated_at, own.ratings),
    ),
)
WORK = (
    Removal(
        "changes of channels",
        channel_event,
        lambda bounds: bounds.audit,
        by_id(channel_event.c.at),
        lambda own, _: older(channel_event.c.at, own.audit),
    ),
    _after("sessions", official_session.c.seen_at, SIGNED_IN, by_age(official_session.c.seen_at)),
    _after("tries to sign in", signin_failure.c.last_at, FAILED, by_age(signin_failure.c.last_at)),
    Removal(
        "runs of schedules",
        run,
        lambda bounds: bounds.now - KEPT,
        by_age(run.c.started_at),
        lambda own, _: run.c.ended_at < own.now - KEPT,
    ),
)


def wanted(hands: Hands, keys: Page) -> frozenset[tuple[str, str]]:
    """Those of these, phone and code, that want to follow."""
    with hands.reading() as connection:
        return frozenset((phone, code) for phone, code in _WANTED.rows(connection, keys))


_f = follower.c
_WANTED = Batch(
    (_f.phone, _f.code),
    lambda given: (
        sa.select(_f.phone, _f.code)
        .join(given, sa.and_(given.c.phone == _f.phone, given.c.code == _f.code))
        .where(_f.wanted)
    ),
)


def judged_followers(pages: Pages) -> Removal:
    """Of dossiers that have ended. `pages`: those of which somebody who can see the dossiers says so."""
    age = follower.c.since
    return _after("followers of dossiers that have ended", age, FOLLOWED, pages)


def judged_reminders(pages: Pages) -> Removal:
    """Of dossiers that are not there any more, likewise."""
    return Removal(
        "reminders of dossiers that are gone",
        reminder,
        lambda bounds: bounds.messages,
        pages,
        lambda own, _: sa.and_(_old_reminder(own), reminder.c.told_to == OWNER),
    )
