"""What is said in a chat about itself: to who begins to follow us, and to who shows whose phone it is. Pure.

The code for linking goes by SMS to the phone and is typed back in the chat, so only who holds the phone can do it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsgw.answers.asker import Kind, Reply
from smsgw.answers.asking import EXAMPLE
from smsgw.answers.spelling import unpolite
from smsgw.answers.wording import Wording
from smsgw.answers.words import Words, squeezed
from smsgw.dossiers.reading import normalised
from smsgw.store.chats import (
    MOST_BY_ADDRESS,
    MOST_TO_PHONE,
    MOST_TRIES,
    Change,
    Link,
    LinkAsked,
    LinkTried,
    Person,
    Unlinked,
)
from smsgw.text import phones
from smsgw.text.languages import Language

LIFETIME = timedelta(minutes=10)  # of a code

# Also with the rest of the SMS that brought it, and with what people write around it: "mã là 499036 ạ".
_CODE = re.compile(r"\W*(?:MA\W+(?:(?:LA|SO)\W+)?)?(\d{3}[ .\-]?\d{3})(?![ .\-]*\d)")
_OF_PHONE = re.compile("^ (?:(?:VA|VOI|SO|SDT|DT|DIEN THOAI) )*")


@dataclass(frozen=True, slots=True)
class LinkPhone:
    """To be known as the holder of a phone; None: it was not said of which."""

    phone: str | None


@dataclass(frozen=True, slots=True)
class TypeCode:
    """The six digits that a code has."""

    code: str


@dataclass(frozen=True, slots=True)
class Unlink:
    """Not to be known as the holder of a phone any more."""


@dataclass(frozen=True, slots=True)
class Greet:
    """Somebody has just begun to follow us."""


ChatRequest = LinkPhone | TypeCode | Unlink | Greet


def understand(text: str, words: Words, person: Person) -> ChatRequest | None:
    """What a text asks of the chat itself; None for all that is asked elsewhere too."""
    if person.link is not None and (typed := _CODE.match(normalised(text))):
        return TypeCode(re.sub(r"\D", "", typed[1]))
    plain = unpolite(squeezed(text), words)[1]
    if plain in words.unlink:
        return Unlink()
    for word in words.link:
        if plain == word:
            return LinkPhone(None)
        number = _OF_PHONE.sub("", plain.removeprefix(word))
        # Words that merely begin so ("lien ket tai khoan") are for the clerk.
        if plain.startswith(word) and re.fullmatch(r"[\d ]+", number):
            return LinkPhone(phones.mobile(number))
    return None


class Linking:
    """Replies in a wording."""

    def __init__(self, wording: Wording, *, hotline: str) -> None:
        self._wording = wording
        self._common = {"hotline": hotline, "example": EXAMPLE, "minutes": str(LIFETIME.seconds // 60)}

    def reply(
        self, request: ChatRequest, person: Person, language: Language, new: Link | None, sent: int, now: datetime
    ) -> Reply:
        """The reply to a request. `new`: a code that may be sent; `sent`: those that its phone got lately."""
        match request:
            case Greet():
                return self._said(language, "greeting", kind="greeting")
            case Unlink():
                return self._said(language, "unlinked" if person.phone else "not_linked", changes=(Unlinked(),))
            case TypeCode(code) if person.link is not None:
                return self._typed(code, person.link, language, now)
        if new is None:
            return self._said(language, "link_how")
        if new.phone == person.phone:
            return self._said(language, "linked", phone=new.phone)
        if person.asked >= MOST_BY_ADDRESS or sent >= MOST_TO_PHONE:
            return self._said(language, "link_too_many")
        sms = self._wording.text(language, "link_code", self._common | {"code": new.code}, accents=False)
        return self._said(language, "link_sent", phone=new.phone, changes=(LinkAsked(new, sms),))

    def _typed(self, code: str, link: Link, language: Language, now: datetime) -> Reply:
        if now >= link.expires_at:
            return self._said(language, "link_expired")
        if code == link.code:
            return self._said(language, "linked", phone=link.phone, changes=(LinkTried(link, right=True),))
        left = MOST_TRIES - link.tries - 1
        wrong = (LinkTried(link, right=False),)
        if left:
            return self._said(language, "link_wrong", left=str(left), changes=wrong)
        return self._said(language, "link_closed", changes=wrong)

    def _said(
        self,
        language: Language,
        key: str,
        *,
        kind: Kind = "link",
        phone: str = "",
        left: str = "",
        changes: tuple[Change, ...] = (),
    ) -> Reply:
        # As people write it themselves: all who link have a mobile number of this country.
        values = self._common | {"phone": phones.national(phones.mask(phone)) if phone else "", "left": left}
        text = self._wording.text(language, key, values, accents=True, whole=True)
        return Reply(text, kind, language, accents=True, changes=changes)
