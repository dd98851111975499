"""Delivery reports: each is kept once, and counts as soon as its message can take it.

The row of the message is locked before its state is read, here and when a sender settles it, so that of a receipt and
a settlement that meet, the later one sees the earlier. Only a receipt that names nothing but a carrier's id which is
being written down at that moment can miss it; the sweep finds those.

Of a message that went out in parts, receipts are about the parts, and what they say of it together is read from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from smsgw.store import parts
from smsgw.store.batch import Batch, InsertNew, looked_at_last
from smsgw.store.states import FINAL, LIVE_FOR, RECEIPT_WAIT, State, reported, reported_of_parts
from smsgw.store.tables import history, outbound, outbound_part, receipt

_MATCH_AFTER = timedelta(seconds=2)  # the age from which on the sweep tries a parked one
_PARKED_FOR = timedelta(days=1)  # no call takes so long; what is older waits for the sweep

_c, _r, _o = outbound.c, receipt.c, outbound_part.c


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt as a provider read it. At least one of `ref` (our id) and `carrier_id` (theirs) is set.

    `parts`, beside a `ref`: the carrier's ids of the message's parts, which nobody had heard.
    """

    ref: str | None
    carrier_id: str | None
    status: str
    error_code: str | None
    at: datetime | None
    parts: Sequence[str] = ()

    @property
    def subject(self) -> str:
        """What it is about, as the table's key has it."""
        return f"ref:{self.ref}" if self.ref is not None else f"id:{self.carrier_id}"


class _Said(NamedTuple):
    """What a receipt says."""

    subject: str
    status: str
    error_code: str | None


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that reports are about, locked. `table`: where it lies, among the live ones or in history.

    `carrier_id`: theirs, None while it is not known.
    """

    id: str
    before: State
    carrier_id: str | None
    table: sa.Table


@dataclass(slots=True)
class _Reported:
    """What reports make of a message."""

    message: _Message
    state: State
    error_code: str | None = None

    def add(self, status: str, error_code: str | None) -> None:
        after = reported(self.state, status)
        if after is not None and after is not self.state:
            self.state, self.error_code = after, error_code


def record(connection: sa.Connection, channel: str, reports: Sequence[Report], now: datetime) -> list[bool]:
    """Keep receipts and apply those that can be; for each whether it is new."""
    if not reports:
        return []
    messages, owners = _find_all(connection, channel, {report.subject for report in reports})
    rows: dict[tuple[str, str], tuple[object, ...]] = {}
    for report in reports:
        message = messages.get(report.subject)
        settled = message.id if message and message.before is not State.SENDING else None
        row = (channel, report.subject, report.status, report.error_code, report.at, now, settled)
        rows.setdefault((report.subject, report.status), row)
    new = set(_KEEP.run(connection, (row for _, row in sorted(rows.items()))))  # in an order, see inbox.accept
    said = [_Said(report.subject, report.status, report.error_code) for report in reports]
    _apply(connection, messages, _of_messages(connection, channel, said, owners), now)
    _learn(connection, channel, messages, reports, now)
    fresh = []
    for report in reports:
        key = f"{report.subject} {report.status}"
        fresh.append(key in new)
        new.discard(key)  # said twice in one callback, it is new once
    return fresh


_KEEP = InsertNew(*receipt.c, returning=_r.subject + " " + _r.status)


def _learn(
    connection: sa.Connection,
    channel: str,
    messages: Mapping[str, _Message],
    reports: Sequence[Report],
    now: datetime,
) -> None:
    """Write down the carrier's ids that reports were the first to name; others may name nothing else."""
    learnt: dict[str, str] = {}
    in_parts: dict[str, Sequence[str]] = {}
    for report in reports:
        message = messages.get(report.subject)
        # What names no message of ours names one that is known, or a part of one.
        if report.ref is None or message is None or message.table is not outbound:
            continue
        if message.carrier_id is None and report.carrier_id is not None:
            learnt[message.id] = report.carrier_id
        if report.parts:
            in_parts[message.id] = report.parts
    if learnt:
        _LEARN.run(connection, learnt.items())
    parts.name(connection, channel, in_parts)
    apply_parked(connection, channel, {id: (theirs,) for id, theirs in learnt.items()} | in_parts, now)


_LEARN = Batch(
    (_c.id, _c.carrier_message_id),
    lambda given: (
        sa.update(outbound)
        .where(_c.id == given.c.id, _c.carrier_message_id.is_(None))
        .values(carrier_message_id=given.c.carrier_message_id)
    ),
)


def apply_parked(connection: sa.Connection, channel: str, messages: Mapping[str, Sequence[str]], now: datetime) -> None:
    """Apply what was reported of messages while they were being sent. `messages`: our id to the carrier's ones."""
    # Mostly there is none of any message, which one look at the index of the parked ones tells.
    since = now - _PARKED_FOR
    if not (messages and connection.execute(_ANY_PARKED, {"since": since}).scalar()):
        return
    subjects = [(f"ref:{id}",) for id in messages]
    subjects += [(f"id:{carrier_id}",) for ids in messages.values() for carrier_id in ids]
    parked = _PARKED.run(connection, subjects, at_channel=channel).all()
    _apply_kept(connection, channel, [_Said._make(row) for row in parked], now)


_ANY_PARKED = sa.select(
    sa.exists().where(_r.outbound_id.is_(None), _r.received_at > sa.bindparam("since", type_=_r.received_at.type))
)
_PARKED = Batch(
    (_r.subject,),
    lambda given: (
        sa.select(_r.subject, _r.status, _r.error_code)
        .join(given, given.c.subject == _r.subject)
        .where(_r.channel == sa.bindparam("at_channel"), _r.outbound_id.is_(None))
        .order_by(_r.received_at)
    ),
)


def match_parked(connection: sa.Connection, since: datetime | None, now: datetime, limit: int = 500) -> int:
    """Apply receipts parked since then, or ever, whose messages are known by now; how many those were."""
    parked = sa.select(_r.channel, _r.subject, _r.status, _r.error_code).where(
        _r.outbound_id.is_(None), _r.received_at <= now - _MATCH_AFTER
    )
    if since is not None:
        parked = parked.where(_r.received_at >= since)
    known = [
        parked.join(
            table, sa.and_(table.c.channel == _r.channel, table.c[name] == sa.func.substr(_r.subject, len(kind) + 1))
        ).where(_r.subject.startswith(kind), table.c.state != State.SENDING)
        for table in (outbound, history)
        for kind, name in (("ref:", "id"), ("id:", "carrier_message_id"))
    ]
    known.append(
        parked.join(
            outbound_part,
            sa.and_(_o.channel == _r.channel, _o.carrier_message_id == sa.func.substr(_r.subject, len("id:") + 1)),
        )
        .join(outbound, _c.id == _o.outbound_id)
        .where(_r.subject.startswith("id:"), _c.state != State.SENDING)
    )
    rows = connection.execute(sa.union_all(*known).limit(limit)).all()
    for channel in {row.channel for row in rows}:
        _apply_kept(connection, channel, [_Said._make(row[1:]) for row in rows if row.channel == channel], now)
    return len(rows)


def _apply_kept(connection: sa.Connection, channel: str, parked: Sequence[_Said], now: datetime) -> None:
    """Apply parked receipts, and note whose they are."""
    if not parked:
        return
    messages, owners = _find_all(connection, channel, {subject for subject, _, _ in parked})
    messages = {subject: message for subject, message in messages.items() if message.before is not State.SENDING}
    _apply(connection, messages, _of_messages(connection, channel, parked, owners), now)
    applied = [(said.subject, said.status, messages[said.subject].id) for said in parked if said.subject in messages]
    _OWN.run(connection, applied, at_channel=channel)


_OWN = Batch(
    (_r.subject, _r.status, _r.outbound_id),
    lambda given: (
        sa.update(receipt)
        # Of the same message another may have been parked since these were read; it waits for the sweep.
        .where(_r.channel == sa.bindparam("at_channel"), _r.subject == given.c.subject, _r.status == given.c.status)
        .where(_r.outbound_id.is_(None))
        .values(outbound_id=given.c.outbound_id)
    ),
)


def _find_all(
    connection: sa.Connection, channel: str, subjects: set[str]
) -> tuple[dict[str, _Message], dict[str, str]]:
    """The messages that subjects name, locked; and those subjects that are parts, with what names their message."""
    messages = _find(connection, channel, subjects)
    ids = [subject.removeprefix("id:") for subject in sorted(subjects - messages.keys()) if subject.startswith("id:")]
    owners = {f"id:{theirs}": f"ref:{ours}" for theirs, ours in parts.owners(connection, channel, ids).items()}
    if owners:
        whole = _find(connection, channel, set(owners.values()))
        messages |= whole | {part: whole[owner] for part, owner in owners.items() if owner in whole}
    return messages, owners


def _of_messages(
    connection: sa.Connection, channel: str, said: Sequence[_Said], owners: Mapping[str, str]
) -> list[_Said]:
    """What is said of messages; where it was said of a part, what all parts' receipts that are kept say together."""
    if not owners:
        return [*said]
    statuses: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    codes: dict[tuple[str, str], str | None] = {}
    ids = [owner.removeprefix("ref:") for owner in sorted({*owners.values()})]
    for id, part, status, code in parts.said(connection, channel, ids):
        known = statuses[f"ref:{id}"][part]
        if status is not None:
            known.append(status)
            codes[f"ref:{id}", status] = code
    whole = [(owner, reported_of_parts([*reported.values()])) for owner, reported in statuses.items()]
    # That the carrier has some of the parts is no news of a message that was submitted, and ends no doubt of another.
    ended = [(owner, status) for owner, status in whole if status != "buffered"]
    together = [_Said(owner, status, codes.get((owner, status))) for owner, status in ended]
    return [*(item for item in said if item.subject not in owners), *together]


def _find(connection: sa.Connection, channel: str, subjects: set[str]) -> dict[str, _Message]:
    """The messages that subjects name, locked; looked for in history where they are not live any more."""
    found: dict[str, _Message] = {}
    for table in (outbound, history):
        wanted = {
            kind: [(s.removeprefix(kind),) for s in sorted(subjects - found.keys()) if s.startswith(kind)]
            for kind in ("ref:", "id:")
        }
        if all(wanted.values()):
            # Those of one kind would be locked before those of the other; so all are locked first, see outbox.settle.
            named = _NAMED[table].rows(connection, wanted["id:"], at_channel=channel)
            _FIND[table, "ref:"].rows(connection, {*wanted["ref:"], *map(tuple, named)}, at_channel=channel)
        for kind, names in wanted.items():
            rows = _FIND[table, kind].rows(connection, names, at_channel=channel) if names else ()
            found |= {kind + name: _Message(id, State(state), theirs, table) for name, id, state, theirs in rows}
    return found


def _naming(table: sa.Table) -> Batch:
    def build(given: sa.FromClause) -> sa.Executable:
        named = given.c.carrier_message_id == table.c.carrier_message_id
        return sa.select(table.c.id).join(given, named).where(table.c.channel == sa.bindparam("at_channel"))

    return Batch((table.c.carrier_message_id,), build)


_NAMED = {table: _naming(table) for table in (outbound, history)}


def _finding(table: sa.Table, name: sa.Column[str]) -> Batch:
    def build(given: sa.FromClause) -> sa.Executable:
        here = table.c.channel == sa.bindparam("at_channel")
        return (
            sa.select(name, table.c.id, table.c.state, table.c.carrier_message_id)
            .join(given, given.c[name.key] == name)
            .where(looked_at_last(here) if name is table.c.id else here)
            .order_by(table.c.id)  # see outbox.settle
            .with_for_update(of=table)
        )

    return Batch((name,), build)


_FIND = {
    (table, kind): _finding(table, name)
    for table in (outbound, history)
    for kind, name in (("ref:", table.c.id), ("id:", table.c.carrier_message_id))
}


def _apply(
    connection: sa.Connection,
    messages: Mapping[str, _Message],
    reports: Iterable[_Said],
    now: datetime,
) -> None:
    """Move messages to the states that reports put them in."""
    after: dict[str, _Reported] = {}
    for subject, status, error_code in reports:
        if message := messages.get(subject):
            after.setdefault(message.id, _Reported(message, message.before)).add(status, error_code)
    for table, applying in ((outbound, _APPLY_LIVE), (history, _APPLY_HISTORY)):
        changed = [
            item for item in after.values() if item.message.table is table and item.state is not item.message.before
        ]
        if changed:
            applying.run(connection, (_change(item, now) for item in changed))


def _change(item: _Reported, now: datetime) -> tuple[object, ...]:
    final = item.state in FINAL
    deadline = now + (LIVE_FOR if final else RECEIPT_WAIT)
    return item.message.id, item.message.before, item.state, item.error_code, now, now if final else None, deadline


def _applying(table: sa.Table, *more: sa.Column[datetime]) -> Batch:
    def build(given: sa.FromClause) -> sa.Executable:
        return (
            sa.update(table)
            .where(table.c.id == given.c.id, looked_at_last(table.c.state == given.c.before))
            .values(
                {
                    table.c.submitted_at: sa.func.coalesce(table.c.submitted_at, given.c.submitted_at),
                    **{column: given.c[column.name] for column in (table.c.state, table.c.error_code, *more)},
                }
            )
        )

    before = sa.Column("before", sa.Text)
    return Batch((_c.id, before, _c.state, _c.error_code, _c.submitted_at, _c.finished_at, _c.deadline), build)


_APPLY_LIVE = _applying(outbound, _c.finished_at, _c.deadline)
_APPLY_HISTORY = _applying(history, history.c.finished_at)
