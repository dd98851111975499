"""What officials do with notices: each move checked, made and recorded in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smsgw.notices import budget, life
from smsgw.notices.audience.columns import placeholders
from smsgw.notices.drafting import Audience, Draft, Loader, Progress, recounted
from smsgw.notices.life import Move, State
from smsgw.notices.means import Means
from smsgw.notices.recipients import RowError
from smsgw.notices.reckoning import Reckoning, worded
from smsgw.notices.refusals import NoSuchNotice, NoticeRefused, NotNow
from smsgw.notices.seal import as_it_stands
from smsgw.notices.sheets import fingerprint
from smsgw.officials import audit
from smsgw.officials.requests import Within
from smsgw.store import audit as entries
from smsgw.store import notice_sending as sending
from smsgw.store import notices as rows
from smsgw.store import outbox
from smsgw.store.ids import new_id
from smsgw.store.notices import Event, LeftOut, Notice
from smsgw.store.officials import Official
from smsgw.store.removing import Hands
from smsgw.store.tables import Lane
from smsgw.text import phones
from smsgw.text.alphabet import storable

HELD_FOR = timedelta(days=90)  # after which what is paused is given up
TRIES_A_DAY = 20  # of an official: nobody approves what goes out so, and it may go to anybody
SEEN = frozenset(State) - {State.LOADING}  # by officials
GATEWAY = audit.GATEWAY  # who moves a notice that no official moves


@dataclass(frozen=True, slots=True)
class Created:
    """A new draft, its figures, and the first of what was wrong in its audience."""

    notice: Notice
    reckoning: Reckoning
    errors: list[RowError]


def _nothing(rows: int) -> None:
    """Nobody watches the progress."""


def _nothing_more(connection: sa.Connection, id: str) -> None:
    """Nothing else happens with it."""


class Notices:
    """All notices, as far as an official may see and move them. Every method raises NoticeRefused."""

    def __init__(self, means: Means) -> None:
        self.means = means

    def create(
        self,
        draft: Draft,
        audience: Audience,
        who: Official,
        progress: Progress = _nothing,
        errors: int | None = None,
        within: Within = _nothing_more,
    ) -> Created:
        """A draft of an audience, whose exceptions come out and leave nothing behind. `errors`: how many are given.

        `within`: called with the notice's id in the transaction by which it becomes a draft.
        """
        _check_role(who, "sender")
        draft.check()
        loading = self._loading(draft, who)
        with self.means.database.writing("load notice") as connection:
            rows.add(connection, loading)
        loader = Loader(self.means, loading, audience.language)
        try:
            loader.load(audience, progress)
            return self._loaded(loader, who, errors, within)
        except BaseException:
            rows.forget(Hands(self.means.database), loading.id)
            raise

    def _loading(self, draft: Draft, who: Official) -> Notice:
        now = self.means.clock()
        return Notice(
            id=new_id(),
            name=storable(draft.name.strip()),
            agency=who.agency,
            text=storable(draft.text.strip()),
            accents=draft.accents,
            audience=storable(draft.audience),
            send_at=draft.send_at,
            state=State.LOADING,
            author=who.name,
            approver=None,
            needs_approval=True,
            fingerprint=rows.COMING_IN,
            approved_fingerprint=None,
            created_at=now,
            changed_at=now,
            approved_at=None,
            recipients=0,
            segments=0,
            cost=0,
            reckoning="{}",
        )

    def _loaded(self, loader: Loader, who: Official, errors: int | None, within: Within) -> Created:
        made, sheets = loader.notice, loader.sheets.all()
        id, print_ = made.id, fingerprint(made.text, made.send_at, sheets, accents=made.accents)
        with self._moving(made, Move.CREATE, who.name, "", "load notice") as move:
            move(seen=rows.COMING_IN, fingerprint=print_, **_figures(loader.reckoning, made.accents))
            if move.moved:
                rows.add_sheets(move.connection, id, sheets)
            within(move.connection, id)
        with self.means.database.reading() as connection:
            problems = rows.problems(connection, id, errors)
        return Created(self.find(id, who), loader.reckoning, [RowError(*problem) for problem in problems])

    def find(self, id: str, who: Official) -> Notice:
        """A notice of theirs to see. Raises NoSuchNotice."""
        with self.means.database.reading() as connection:
            found = rows.by_id(connection, id)
        if found is None or found.state == State.LOADING or not who.sees(found.agency):
            raise NoSuchNotice(id)
        return found

    def page(
        self, who: Official, before: str | None = None, limit: int = 50, states: Collection[State] = SEEN
    ) -> list[Notice]:
        """The notices that they may see, newest first."""
        with self.means.database.reading() as connection:
            return rows.page(connection, who.agency, states, before, limit)

    def needs_approval(self, notice: Notice) -> bool:
        """Whether a second official has to approve it, or handing it in is enough."""
        return notice.recipients >= self.means.rules.approval_from

    def wrote(self, notice: Notice, who: Official) -> bool:
        """Whether they had a hand in what it says, so that somebody else has to approve it."""
        with self.means.database.reading() as connection:
            return rows.wrote(connection, notice.id, who.name)

    @staticmethod
    def continuing(before: Notice | None) -> Within:
        """For `create`: whoever had a hand in the notice whose place the new one is to take has one in that as well."""
        return _nothing_more if before is None else lambda connection, id: rows.inherit(connection, before.id, id)

    def events(self, id: str, who: Official) -> list[Event]:
        """What was done with a notice, in order."""
        found = self.find(id, who)
        with self.means.database.reading() as connection:
            return rows.events(connection, found.id)

    def problems(self, id: str, who: Official, limit: int) -> list[RowError]:
        """What was wrong in its audience."""
        found = self.find(id, who)
        with self.means.database.reading() as connection:
            return [RowError(*problem) for problem in rows.problems(connection, found.id, limit)]

    def every_problem(self, id: str, who: Official) -> Iterator[RowError]:
        """The same, however many there are."""
        found = self.find(id, who)
        return (RowError(*problem) for problem in rows.every_problem(self.means.database, found.id))

    def left_out(self, id: str, who: Official) -> Iterator[LeftOut]:
        """The rows of its audience without a fault that it does not go to."""
        found = self.find(id, who)
        return rows.left_out(self.means.database, found.id)

    def edit(self, id: str, who: Official, draft: Draft, seen: str | None = None) -> Notice:
        """Another name, text, time or accents for the same recipients. What was approved of it is void.

        `seen`: the version that they changed; None: the one that there is now.
        """
        _check_role(who, "sender")
        draft.check()
        before = self.find(id, who)
        after = replace(
            before,
            name=storable(draft.name.strip()),
            text=storable(draft.text.strip()),
            send_at=draft.send_at,
            accents=draft.accents,
        )
        self._check_placeholders(after)
        reckoning, fingerprint = recounted(self.means, after, Reckoning.from_json(before.reckoning))
        size = reckoning.size(accents=after.accents)
        longest, most = max(size.by_segments, default=0), self.means.rules.most_segments
        if longest > most:
            raise NoticeRefused("long", f"a message would take {longest} segments; {most} are allowed")
        with self._moving(before, Move.EDIT, who.name, "") as move:
            budget.give_back(move.connection, self.means, move.notice, move.notice.segments)
            move(
                version=seen or before.version,
                **{name: getattr(after, name) for name in ("name", "text", "send_at", "accents")},
                **_figures(reckoning, after.accents),
                fingerprint=fingerprint,
                approver=None,
                approved_fingerprint=None,
                approved_at=None,
            )
        return self.find(id, who)

    def _check_placeholders(self, notice: Notice) -> None:
        with self.means.database.reading() as connection:
            one = next(iter(rows.recipients_at(connection, notice.id, [0])), None)
        if one is None:
            return  # nobody has anything to put there
        there = one.values
        if missing := [written for key, written in placeholders(notice.text).items() if key not in there]:
            raise NoticeRefused(
                "placeholder",
                f"the text names {', '.join(missing)}, which its recipients were loaded without; make a new notice",
            )

    def replace(self, id: str, who: Official, seen: str | None = None) -> None:
        """Another one with other recipients takes its place. What was approved of it is void. `seen`: as in `edit`."""
        _check_role(who, "sender")
        before = self.find(id, who)
        with self._moving(before, Move.REPLACE, who.name, "") as move:
            budget.give_back(move.connection, self.means, move.notice, move.notice.segments)
            move(version=seen or before.version)

    def submit(self, id: str, who: Official, seen: str | None = None) -> Notice:
        """For approval; one that goes to so few that it needs none is approved by that. `seen`: as in `approve`."""
        _check_role(who, "sender")
        notice = self.find(id, who)
        if not notice.recipients:
            raise NoticeRefused("nobody", f"notice {notice.name!r} has no recipients")
        if self.needs_approval(notice):
            with self._moving(notice, Move.SUBMIT, who.name, "") as move:
                move(seen=notice.fingerprint if seen is None else seen, needs_approval=True)
        else:
            self._approve(notice, Move.RELEASE, who, seen, needs_approval=False)
        return self.find(id, who)

    def approve(self, id: str, who: Official, seen: str | None = None) -> Notice:
        """It may go out. `seen`: the fingerprint of what the approver looked at; None: of what there is now."""
        _check_role(who, "approver")
        notice = self.find(id, who)
        self._approve(notice, Move.APPROVE, who, seen, approver=who.name)
        return self.find(id, who)

    def _approve(self, notice: Notice, what: Move, who: Official, seen: str | None, **values: Any) -> None:
        seen = notice.fingerprint if seen is None else seen
        if seen != notice.fingerprint or as_it_stands(self.means, notice) != seen:
            raise NoticeRefused("changed", "the notice was changed since you looked at it; look at it again")
        with self._moving(notice, what, who.name, "") as move:
            if what is Move.APPROVE and move.notice.state == State.SUBMITTED:
                _check_hands(move.connection, notice.id, who)
            move(seen=seen, approved_fingerprint=seen, approved_at=move.now, **values)
            budget.take(move.connection, self.means, notice.agency, notice.segments, move.now)

    def send_back(self, id: str, who: Official, reason: str) -> Notice:
        """It is not approved, and a draft again."""
        _check_role(who, "approver")
        with self._moving(self.find(id, who), Move.SEND_BACK, who.name, reason) as move:
            move()
        return self.find(id, who)

    def pause(self, id: str, who: Official, reason: str = "") -> Notice:
        """What no sender has yet is held."""
        _check_role(who, "sender")
        notice = self.find(id, who)
        with self._moving(notice, Move.PAUSE, who.name, reason) as move:
            move()
            sending.hold(move.connection, id, move.now + HELD_FOR)
        return self.find(id, who)

    def resume(self, id: str, who: Official, reason: str = "") -> Notice:
        """What was held is queued again."""
        _check_role(who, "sender")
        notice = self.find(id, who)
        with self._moving(notice, Move.RESUME, who.name, reason) as move:
            move()
            sending.release(move.connection, id, move.now, self.means.worth_until(move.now))
        return self.find(id, who)

    def cancel(self, id: str, who: Official, reason: str = "") -> Notice:
        """What no sender has yet never goes out."""
        _check_role(who, "sender")
        notice = self.find(id, who)
        with self._moving(notice, Move.CANCEL, who.name, reason) as move:
            move()
            budget.drop(move.connection, self.means, move.notice, move.now)
        return self.find(id, who)

    def try_out(self, id: str, who: Official, phone: str | None = None) -> str:
        """Send its first message to an official's own phone, or another one, at once; the phone."""
        _check_role(who, "sender")
        notice, to = self.find(id, who), phone or who.phone
        if to is None:
            raise NoticeRefused("phone", f"no phone of {who.name} is known; give one: --to 0912345678")
        if not phones.takes_texts(to):
            raise NoticeRefused("phone", f"no text reaches {phones.mask(to)}; name a mobile phone")
        with self.means.database.reading() as connection:
            one = next(iter(rows.recipients_at(connection, id, [0])), None)
        if one is None:
            raise NoticeRefused("nobody", f"notice {notice.name!r} has no recipients")
        channel, _ = self.means.road(to)
        now = self.means.clock()
        text = worded(notice.text, one.values, accents=notice.accents)
        with self.means.database.writing("move notice") as connection:
            # An official who waits for it has asked for it, like a citizen who asks.
            outbox.add(connection, [self.means.message(channel, Lane.REPLY, to, text, now)])
            masked = phones.mask(to)
            rows.add_event(connection, id, Event(now, who.name, "try_out", notice.state, masked))
            audit.record(connection, who.name, "notice.try_out", id, {"name": notice.name, "to": masked}, now)
            # Counted behind its own entry, as nobody else writes one before this is committed.
            _check_tries(connection, who, now)
        return to

    @contextmanager
    def _moving(
        self, notice: Notice, what: Move, who: str, reason: str, name: str = "move notice"
    ) -> Iterator[_Moving]:
        """A transaction for one move, recorded at its end. Raises NoticeRefused if somebody else was faster."""
        with self.means.database.writing(name) as connection:
            found = rows.locked(connection, notice.id) or notice
            moving = _Moving(connection, self.means.clock(), found, what)
            yield moving
            if not moving.moved:
                raise _stands(connection, found, what)
            state = life.MOVES[what].after
            rows.add_event(connection, notice.id, Event(moving.now, who, what, state, storable(reason)))
            said = {"name": notice.name, "reason": reason, "state": state}
            audit.record(connection, who, f"notice.{what}", notice.id, said, moving.now)


@dataclass
class _Moving:
    """A move in its transaction, in which nobody else changes the notice. Called with what is set besides the state.

    `seen`: the fingerprint that it must have; `version`: the version.
    """

    connection: sa.Connection
    now: datetime
    notice: Notice
    what: Move
    moved: bool = False

    def __call__(self, seen: str | None = None, version: str | None = None, **values: Any) -> None:
        if version not in (None, self.notice.version):
            return
        rule = life.MOVES[self.what]
        self.moved = rows.move(
            self.connection, self.notice.id, rule.before, rule.after, self.now, expected=seen, **values
        )


def _stands(connection: sa.Connection, notice: Notice, what: Move) -> NoticeRefused:
    """Why a notice could not be moved so."""
    if notice.state in life.MOVES[what].before:
        return NoticeRefused("changed", "the notice was changed since you looked at it; look at it again")
    moved = [event.who for event in rows.events(connection, notice.id) if event.state == notice.state]
    by = f" by {moved[-1]}" if moved and moved[-1] != GATEWAY else ""
    return NotNow(f"the notice is {notice.state}{by}", life.open_moves(State(notice.state)))


def _figures(reckoning: Reckoning, accents: bool) -> dict[str, Any]:
    size = reckoning.size(accents=accents)
    return {
        "recipients": reckoning.recipients,
        "segments": size.segments,
        "cost": size.cost,
        "reckoning": reckoning.as_json(),
    }


def _check_hands(connection: sa.Connection, id: str, who: Official) -> None:
    if rows.wrote(connection, id, who.name):
        raise NoticeRefused("own", f"{who.name} wrote this notice or changed it; another official has to approve it")


def _check_tries(connection: sa.Connection, who: Official, now: datetime) -> None:
    before = entries.latest_of(connection, who.name, "notice.try_out", TRIES_A_DAY)
    if before is not None and before.at > now - timedelta(days=1):
        raise NoticeRefused("tries", f"{who.name} has sent {TRIES_A_DAY} tries within a day, and may send no more now")


def _check_role(who: Official, role: life.Role) -> None:
    if not who.may(role):
        raise NoticeRefused("role", f"{who.name} is {who.role}, and this takes the role {role}")
