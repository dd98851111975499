"""What came by a line or in parts, before anybody decides on it: what comes again is told apart, parts become texts.

`look` reads what is known, so that what is whole can be decided on before the transaction begins; `write` does the rest
in that transaction, and raises `Overtaken` where another node was quicker, so that all is looked at anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from providers.contract import Inbound, Part
from smsgw.dispatch.channel import Channel
from smsgw.store import channels, lines
from smsgw.store.chats import Overtaken
from smsgw.store.lines import Piece, Unproved, Whole
from smsgw.store.turns import take_turn

PART_WAIT = timedelta(minutes=10)  # after it the rest of a text won't come, and what there is of it is answered

Came = tuple[Channel, Inbound]
Verdict = Literal["accepted", "duplicate"]
Place = int | Verdict


@dataclass(slots=True)
class Look:
    """What a group of messages is. `whole`: those to decide on, some of them joined of parts.

    `places`: for each of the group, which of `whole` it is or completes, or what is said of it otherwise.
    """

    whole: list[Came] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    again: list[tuple[str, str, str]] = field(default_factory=list)  # the id before, the id and the session now
    fresh: list[Unproved] = field(default_factory=list)
    kept: dict[Whole, int] = field(default_factory=dict)  # texts that are whole now, and how many parts lie stored
    pieces: list[Piece] = field(default_factory=list)  # that wait for others


def look(connection: sa.Connection | None, came: Sequence[Came], now: datetime) -> Look:
    """Look at a group. `connection`: None if nothing of it came by a line or in parts."""
    seen = Look()
    if connection is None:
        seen.whole, seen.places = [*came], [*range(len(came))]
        return seen
    news = [*_news(connection, came, seen, now)]
    wholes = {whole for channel, message in came if (whole := _whole(channel, message))}
    stored: dict[Whole, dict[int, Piece]] = defaultdict(dict)
    for piece in lines.pieces_of(connection, wholes):
        stored[piece.whole][piece.number] = piece
    have = {whole: dict(pieces) for whole, pieces in stored.items()}
    for (channel, message), new in zip(came, news, strict=True):
        whole = _whole(channel, message)
        if not new:
            seen.places.append("duplicate")
            continue
        if whole is None or message.part is None:
            seen.places.append(len(seen.whole))
            seen.whole.append((channel, message))
            continue
        piece = Piece(whole, message.part.number, message.id, message.text, now)
        pieces = have.setdefault(whole, {})
        pieces[piece.number] = piece
        if len(pieces) < whole.count:
            seen.pieces.append(piece)
            seen.places.append("accepted")
            continue
        seen.kept[whole] = len(stored.pop(whole, ()))
        seen.places.append(len(seen.whole))
        seen.whole.append((channel, joined(message.id, [*have.pop(whole).values()])))
        seen.pieces = [other for other in seen.pieces if other.whole != whole]
    return seen


def _news(connection: sa.Connection, came: Sequence[Came], seen: Look, now: datetime) -> Iterator[bool]:
    """Of each message that comes by a line or in parts whether it is new; and what is to be remembered of it."""
    known = _known_again(connection, came)
    names: set[str] = set()
    for channel, message in came:
        name = _name(channel, message)
        if not by_line(message):
            yield True
        elif name in names:
            yield False
        else:
            row = Unproved(name, channel.name, message.session or "", digest(message), now)
            before = _taken_from(known, channel, message)
            if before is None:
                seen.fresh.append(row)
            else:
                _bring_again(seen, before, row)
            known[row.channel, row.digest].append(row)  # by the next line perhaps in the same breath
            yield before is None
        names.add(name)


def _bring_again(seen: Look, before: Unproved, now: Unproved) -> None:
    """A message came again, which may have been brought by another line in the same group."""
    if before in seen.fresh:
        seen.fresh[seen.fresh.index(before)] = now
        return
    first = next((first for first, last, _ in seen.again if last == before.id), before.id)
    seen.again = [*(item for item in seen.again if item[0] != first), (first, now.id, now.session)]


def look_at_late(connection: sa.Connection, by_name: Mapping[str, Channel], now: datetime, limit: int) -> Look:
    """Texts of which a part never came, as far as they go."""
    seen = Look()
    late = lines.waiting_since(connection, by_name.keys(), now - PART_WAIT, limit)
    pieces: dict[Whole, list[Piece]] = defaultdict(list)
    for piece in lines.pieces_of(connection, late):
        pieces[piece.whole].append(piece)
    for whole, there in pieces.items():
        seen.kept[whole] = len(there)
        seen.places.append(len(seen.whole))
        seen.whole.append((by_name[whole.channel], joined(there[0].id, there)))
    return seen


def write(connection: sa.Connection, seen: Look) -> None:
    """Write down what is not decided on. Raises Overtaken."""
    _check_news(connection, seen)
    lines.brought_again(connection, seen.again)
    lines.expect_again(connection, seen.fresh)
    if not (seen.kept or seen.pieces):
        return
    waiting = {piece.whole for piece in seen.pieces}
    for name in sorted({whole.channel for whole in (*seen.kept, *waiting)}):
        channels.lock(connection, name)  # else two nodes with a part each would not see each other's
    if lines.remove_pieces(connection, seen.kept.keys()) != sum(seen.kept.values()):
        raise Overtaken
    lines.keep_pieces(connection, seen.pieces)
    if _complete(lines.pieces_of(connection, waiting)):
        raise Overtaken


def _check_news(connection: sa.Connection, seen: Look) -> None:
    """Raises Overtaken if what a line brought as new has come by another one since it was looked at."""
    news = {(row.channel, row.digest): row.session for row in seen.fresh if row.session}
    take_turn(connection, {f"{channel} {digest}" for channel, digest in news})
    known = {before for before, _, _ in seen.again}
    for row in lines.unproved_like(connection, news) if news else ():
        if row.session != news[row.channel, row.digest] and row.id not in known:
            raise Overtaken


def joined(id: str, pieces: Collection[Piece]) -> Inbound:
    """A text of its parts, or of those there are."""
    ordered = sorted(pieces, key=lambda piece: piece.number)
    whole = ordered[0].whole
    return Inbound(id, whole.sender, whole.recipient, "".join(piece.text for piece in ordered))


def digest(message: Inbound) -> str:
    """What a message is known by, in short: all that it says, or its id where the carrier has one."""
    if message.session is None:
        return hashlib.sha256(message.id.encode()).hexdigest()[:32]
    part = message.part
    said = [
        message.sender,
        message.recipient,
        message.text,
        [part.reference, part.count, part.number] if part else None,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def by_line(message: Inbound) -> bool:
    """Whether a message needs to be looked at here at all."""
    return message.session is not None or message.part is not None


def _known_again(connection: sa.Connection, came: Sequence[Came]) -> dict[tuple[str, str], list[Unproved]]:
    said = {(channel.name, digest(message)) for channel, message in came if by_line(message)}
    known = defaultdict(list)
    for row in lines.unproved_like(connection, said) if said else ():
        known[row.channel, row.digest].append(row)
    return known


def _taken_from(known: Mapping[tuple[str, str], list[Unproved]], channel: Channel, message: Inbound) -> Unproved | None:
    """The message that this one is again, which nothing else is then."""
    same = known.get((channel.name, digest(message)), [])
    before = next((row for row in same if row.session != message.session), None)
    if before is not None:
        same.remove(before)
    return before


def _name(channel: Channel, message: Inbound) -> str:
    """What a message is remembered by. Ids of different carriers may be the same, ours are not."""
    return f"{channel.name} {message.id}" if message.session is None else message.id


def _whole(channel: Channel, message: Inbound) -> Whole | None:
    part: Part | None = message.part
    if part is None:
        return None
    return Whole(channel.name, message.sender, message.recipient, part.reference, part.count)


def _complete(pieces: Sequence[Piece]) -> bool:
    """Whether any of the texts that these are parts of is whole."""
    numbers: dict[Whole, set[int]] = defaultdict(set)
    for piece in pieces:
        numbers[piece.whole].add(piece.number)
    return any(len(found) == whole.count for whole, found in numbers.items())
