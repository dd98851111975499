"""The desk in front of the clerk for those who write in a chat: who comes and goes, and whose phone they hold."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from providers.contract import Event
from smsgw.answers.asker import Reply
from smsgw.answers.linking import LIFETIME, ChatRequest, Greet, Linking, LinkPhone, understand
from smsgw.answers.words import Words
from smsgw.store import chats, people
from smsgw.store.chats import Link, Person, Seen
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.text.languages import Language


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody in a chat wrote or did."""

    address: str
    text: str
    event: Event


@dataclass(frozen=True, slots=True)
class Heard:
    """What follows from it: the reply, or that it is `for_clerk`; if neither, nothing is said."""

    seen: Seen
    reply: Reply | None = None
    for_clerk: bool = False


class ChatDesk:
    """Decides on what is said in a chat about the chat itself."""

    def __init__(self, database: Database, linking: Linking, words: Words) -> None:
        self._database = database
        self._linking = linking
        self._words = words

    def hear(self, words: Sequence[Word | None], now: datetime) -> list[Heard | None]:
        """What follows from each, in order; None for what came by no chat."""
        addresses = {word.address for word in words if word}
        if not addresses:
            return [None] * len(words)
        with self._database.reading() as connection:
            persons = chats.known(connection, addresses, now)
            wishes = people.wishes(connection, addresses)
            return [
                self._heard(connection, word, persons[word.address], wishes[word.address].language, now)
                if word
                else None
                for word in words
            ]

    def _heard(self, connection: sa.Connection, word: Word, person: Person, language: Language, now: datetime) -> Heard:
        if word.event == "unfollow":
            return Heard(Seen(follows=False))
        request = Greet() if word.event == "follow" else understand(word.text, self._words, person)
        seen = Seen(follows=True if word.event == "follow" else None)
        if request is None:
            return Heard(seen, for_clerk=True)
        new = _new_link(request, now)
        sent = chats.sent_to(connection, new.phone, now) if new else 0
        return Heard(seen, self._linking.reply(request, person, language, new, sent, now))


def _new_link(request: ChatRequest, now: datetime) -> Link | None:
    if not isinstance(request, LinkPhone) or request.phone is None:
        return None
    code = f"{secrets.randbelow(1_000_000):06}"
    return Link(new_id(), request.phone, code, tries=0, expires_at=now + LIFETIME)
