"""The clerk behind the counter: what each text is answered with, by what is known of its sender and of the dossiers.

Nothing is written here. The web page, the command line and the carriers' callbacks all ask the same clerk.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

import sqlalchemy as sa

from smsgw.answers.answering import Answers
from smsgw.answers.asked import (
    NO_CODES,
    Agree,
    Choose,
    Disagree,
    LookUp,
    NoneOfThem,
    Request,
    Speak,
    asks_nothing,
    chosen,
    codes_asked,
    codes_read,
    codes_suggested,
    without,
)
from smsgw.answers.asker import Asker, Reply
from smsgw.answers.english import is_english
from smsgw.answers.resolving import doubtful, repeats
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.source import OneStop, OneStopUnavailable
from smsgw.intake.ties import tie
from smsgw.store import chats, followers, people
from smsgw.store.database import Database
from smsgw.text.addresses import scheme
from smsgw.text.phones import mask

MEMORY = timedelta(hours=1)  # how long guesses and repeated texts count, and a question may be answered
MOST_OF_NOTHING = 10  # answers in that time to a text of one phone that asks of no dossier: "I am driving, call later"

log = logging.getLogger("smsgw.intake")


class NoReply(Enum):
    """Why a text gets no reply now."""

    LATER = "the one-stop database can't be asked; the text waits"
    NEVER = "a machine seems to answer our answers"


Decision = Reply | NoReply


class _Question(NamedTuple):
    request: Request
    asker: Asker
    answered: Mapping[tuple[str, tuple[str, ...]], int] = MappingProxyType({})  # as people.Known.answers
    repeated: int = 0  # how often its text came lately

    def codes(self) -> frozenset[str]:
        """Every code that has to be looked up before the request can be answered."""
        return codes_asked(self.request) | self.more(self.request, ())

    def more(self, asked: Request, existing: Collection[str]) -> frozenset[str]:
        """Those of them that are to be looked up yet, when of all that `asked` names so much was found."""
        named = NO_CODES if self.request is asked else codes_asked(self.request)
        return named.union(codes_suggested(self.request, existing), self.asker.ties.codes)


class Clerk:
    """Decides on answers. `same_text_limit`: how often an hour one text is answered, or with one answer, a sender."""

    def __init__(self, database: Database, onestop: OneStop, answers: Answers, *, same_text_limit: int) -> None:
        self._database = database
        self._onestop = onestop
        self._answers = answers
        self._same_text_limit = same_text_limit

    def decide(self, texts: Sequence[tuple[str, str]], now: datetime) -> list[Decision]:
        """What each (phone, text) is answered with. One look-up serves them all, and one more those who need it."""
        requests = [self.understand(text) for _, text in texts]
        named = frozenset[str]().union(*map(codes_asked, requests))
        dossiers = self._onestop.begin(named)  # both databases are asked at the same time
        questions = self._questions(texts, requests, now)
        found: dict[str, Dossier] | None
        try:
            found = dossiers()
            asked = zip(requests, questions, strict=True)
            needed = frozenset[str]().union(*(question.more(request, found) for request, question in asked if question))
            found |= self._onestop.find(needed - named)
        except OneStopUnavailable as error:
            log.warning("the one-stop database can't be asked: %s", error)
            found = None
        decisions = []
        lately: defaultdict[str, list[Reply]] = defaultdict(list)
        for question, (phone, text) in zip(questions, texts, strict=True):
            question = self._told_apart(question, phone, text, found or {}, now)
            decision = self._decision(question, found, lately[phone], now)
            if isinstance(decision, Reply):
                lately[phone].append(decision)
            decisions.append(decision)
        return decisions

    def answer(self, request: Request, asker: Asker, now: datetime) -> Reply:
        """What somebody who is described whole gets to hear. Raises OneStopUnavailable."""
        return self._answers.reply(request, asker, self._onestop.find(_Question(request, asker).codes()), now)

    def decide_without(self, phone: str, text: str, codes: Collection[str], now: datetime) -> Decision:
        """What a text is answered with by now that its sender has spoken anew of the dossiers with these codes."""
        request = without(self.understand(text), codes)
        try:
            return self.answer(request, self.asker(phone, request, now, text), now)
        except OneStopUnavailable:
            return NoReply.LATER

    def understand(self, text: str) -> Request:
        """What a text asks, by the words of the settings."""
        return self._answers.understand(text)

    def asker(self, phone: str, request: Request | None, now: datetime, text: str = "") -> Asker:
        """A phone as the gateway knows it, as far as a request needs it, which it makes in this text."""
        with self._database.reading() as connection:
            known = people.known(connection, [phone], now - MEMORY).get(phone, people.Known())
            holds = chats.phones(connection, [phone]) if scheme(phone) else {}
            return _asker(connection, phone, holds.get(phone), known, request, text, now)

    def apology(self, phone: str, now: datetime) -> Reply:
        """What a text that could not be answered for too long gets instead."""
        return self._answers.apology(self.asker(phone, None, now))

    def _questions(
        self, texts: Sequence[tuple[str, str]], requests: Sequence[Request], now: datetime
    ) -> list[_Question | None]:
        """Who asks what; None for a text that its sender repeats like a machine."""
        with self._database.reading() as connection:
            known = people.known(connection, {phone for phone, _ in texts}, now - MEMORY)
            in_chats = {address for address, _ in texts if scheme(address)}
            holds = chats.phones(connection, in_chats) if in_chats else {}
            together = Counter[tuple[str, str]]()
            questions = []
            for (phone, text), request in zip(texts, requests, strict=True):
                one = known.get(phone, people.Known())
                repeated = one.texts.get(text, 0) + together[phone, text]
                together[phone, text] += 1
                questions.append(self._question(connection, phone, holds.get(phone), text, request, one, repeated, now))
            return questions

    def _question(
        self,
        connection: sa.Connection,
        phone: str,
        holds: str | None,
        text: str,
        request: Request,
        known: people.Known,
        repeated: int,
        now: datetime,
    ) -> _Question | None:
        if repeated >= self._same_text_limit:
            log.warning("%s sends the same text over and over: not answered", mask(phone))
            return None
        if isinstance(request, Choose | Agree | Disagree):
            request = self._chosen(connection, phone, request, now)
        return _Question(request, _asker(connection, phone, holds, known, request, text, now), known.answers, repeated)

    def _chosen(
        self, connection: sa.Connection, phone: str, choice: Choose | Agree | Disagree, now: datetime
    ) -> Request:
        """What the number of an option means: what was asked, also if there is no such option; itself if none was.

        A yes means the only option of a question that is the last thing that was said. What was not understood since
        leaves the question open.
        """
        offered = people.offered(connection, phone, now - MEMORY)
        if isinstance(choice, Agree) and not (offered and offered[0][1]):
            return choice
        question = self._open(offered)
        if question is None:
            return choice
        if isinstance(choice, Disagree):
            return NoneOfThem()
        asked, options = question
        meant = options[choice.number - 1 : choice.number] if isinstance(choice, Choose) else options
        return chosen(asked, meant[0]) if len(meant) == 1 else asked

    def _open(self, offered: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[Request, tuple[str, ...]] | None:
        """What was asked by the last text whose answer is a question that is still open, and its options."""
        for text, options in offered:
            asked = self.understand(text)
            answers_one = isinstance(asked, Choose | Agree)  # which may be a question again: that of the text before
            if options and not answers_one:
                return asked, options
            if not (options or answers_one or asks_nothing(asked)):
                break
        return None

    def _told_apart(
        self, question: _Question | None, address: str, text: str, found: Mapping[str, Dossier], now: datetime
    ) -> _Question | None:
        """The same with what tells two dossiers apart that a code may be: what was offered, and what is followed."""
        if question is None or not doubtful(question.request, question.asker, found):
            return question
        phone = question.asker.phone or address
        with self._database.reading() as connection:
            request = self._repeated(connection, address, text, question.request, now)
            ties = tie(connection, address, phone, request, now - MEMORY)
            followed = tuple(followers.of(connection, [phone])[phone].wanted)
        asker = question.asker._replace(ties=replace(ties, followed=followed))
        return question._replace(request=request, asker=asker)

    def _repeated(self, connection: sa.Connection, address: str, text: str, request: Request, now: datetime) -> Request:
        """What a code as it is printed means that an open question offers: that choice."""
        question = self._open(people.offered(connection, address, now - MEMORY))
        named = codes_read(request)
        if question is None or named is None or len(named.readings) != 1 or isinstance(request, Speak):
            return request
        asked, options = question
        code = next(iter(named.printed.intersection(options)), None)
        if code is None:
            return request
        return chosen(asked if isinstance(request, LookUp) and repeats(text, code) else request, code)

    def _decision(
        self, question: _Question | None, found: Mapping[str, Dossier] | None, lately: Sequence[Reply], now: datetime
    ) -> Decision:
        """`lately`: what the same phone is answered in the same breath; it counts as if it had taken its time."""
        if question is None:
            return NoReply.NEVER
        if found is None and question.codes() and not isinstance(question.request, Speak):
            return NoReply.LATER  # but what somebody has to say is taken down at once
        asker = _after(question.asker, lately) if lately else question.asker
        reply = self._answers.reply(question.request, asker, found or {}, now)
        if question.repeated >= MOST_OF_NOTHING and not reply.codes and not reply.effects:
            log.warning("%s sends the same text over and over: not answered", mask(question.asker.phone or ""))
            return NoReply.NEVER  # a phone that answers by itself, each time at its owner's cost and ours
        answered = question.answered.get((reply.kind, reply.codes), 0)
        if answered + _alike(reply, lately) >= self._same_text_limit and not reply.effects:
            log.warning("%s gets the same answer over and over: not answered", mask(question.asker.phone or ""))
            return NoReply.NEVER  # a machine that answers each of our answers, in ever other words
        return reply


def _asker(
    connection: sa.Connection,
    address: str,
    holds: str | None,
    known: people.Known,
    request: Request | None,
    text: str,
    now: datetime,
) -> Asker:
    """`holds`: the phone that somebody in a chat has shown to have. Who chose no language is answered in the text's."""
    english = known.language == "en" or (known.language is None and is_english(text))
    chat, phone = scheme(address) is not None, holds or address
    return Asker(
        phone=phone,
        language="en" if english else "vi",
        accents=chat or bool(known.accents),
        whole=chat,
        misses=known.misses,
        ties=tie(connection, address, phone, request, now - MEMORY),
    )


def _alike(reply: Reply, others: Sequence[Reply]) -> int:
    return sum((reply.kind, reply.codes) == (other.kind, other.codes) for other in others)


def _after(asker: Asker, replies: Sequence[Reply]) -> Asker:
    misses = asker.misses + sum(reply.misses for reply in replies)
    ties = asker.ties
    for reply in replies:
        for effect in reply.effects:
            ties = ties.after(effect)
    return asker._replace(misses=misses, ties=ties)
