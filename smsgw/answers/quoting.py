"""What stands in a text that its sender did not write: a reply of ours, quoted or forwarded, or a phone's signature.

What is said besides is what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from smsgw.answers.asked import (
    AskWhatLacks,
    Follow,
    Help,
    ListFollowed,
    LookUp,
    Rate,
    Request,
    Speak,
    Unfollow,
)
from smsgw.answers.asking import EXAMPLE, understand, without_our_example
from smsgw.answers.template import NAME, Template
from smsgw.answers.wording import Wording
from smsgw.answers.words import Words, squeezed
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, normalised, read

MOST_LINES = 30  # of a text in which replies are sought
_LEAST_LETTERS = 12  # by which a line is known for ours
_BEFORE = r"(?:(?:FWD?|RE|TRA LOI|CHUYEN TIEP) )*"
_CODES = r"[A-Z]?\d+(?: [A-Z]?\d+)*"
_VALUE = r"[A-Z0-9 ]{1,100}?"
# What phones and mail programs set below a text, in a line that is squeezed.
_SIGNATURE = re.compile(
    "SENT (?:FROM|VIA|WITH) .*|GET OUTLOOK FOR .*"
    "|(?:DA |DUOC )*GUI (?:TU|BANG|QUA) (?:DIEN THOAI|THIET BI|IPHONE|IPAD|ANDROID|SAMSUNG|GALAXY|OPPO|VIVO|XIAOMI"
    "|REDMI|REALME|NOKIA|HUAWEI|ZALO|OUTLOOK|GMAIL|YAHOO)( .*)?"
)
_OPTION = re.compile(r"\W*[1-3]\)\s*[A-Z0-9.]*\d-", re.IGNORECASE)


class Quoting:
    """Understands texts that may quote what this wording says. A reply is known by what is never left out of it."""

    def __init__(self, wording: Wording) -> None:
        lines = dict.fromkeys(line for template in wording.texts.values() for line in _lines(template))
        self._ours = re.compile(rf"{_BEFORE}(?:{'|'.join(lines)})(?![A-Z0-9])" if lines else "(?!)")

    def understand(self, text: str, words: Words) -> Request:
        """What a text asks besides what it quotes in lines of their own; if nothing, about the dossier told of there.

        A command without a code is for that dossier, too.
        """
        if "\n" not in text and EXAMPLE not in text:
            return understand(text, words)
        lines = _unsigned(text.splitlines())
        text = "\n".join(lines)
        ours = [line for line in lines if self._ours.match(squeezed(line))] if len(lines) <= MOST_LINES else []
        if not ours:
            return understand(text, words)
        about = read(without_our_example("\n".join(ours)), words.look_up)
        said = "\n".join(line for line in lines if line not in ours and not _OPTION.match(line))
        if not squeezed(said):
            return LookUp(about) if about.readings else Help()
        return _about(understand(said, words), about)


def _unsigned(lines: list[str]) -> list[str]:
    """The lines of a text without a phone's signature, which is the last of them, and what parts it from the text."""
    end = _without_rules(lines, len(lines))
    if end < 2 or not _SIGNATURE.fullmatch(squeezed(lines[end - 1])):
        return lines
    return lines[: _without_rules(lines, end - 1)]


def _without_rules(lines: list[str], end: int) -> int:
    """Where lines end that are neither empty nor only drawn."""
    while end and not lines[end - 1].strip(" \t-_"):
        end -= 1
    return end


def _about(request: Request, quoted: Read) -> Request:
    """A request that names no dossier, as one for those that are quoted."""
    if not quoted.readings:
        return request
    match request:
        case LookUp(Read(readings=())) | ListFollowed(question=True) | AskWhatLacks():
            return LookUp(quoted)  # also what a phone sets above: a number, a time
        case Follow(found) | Unfollow(found) | Rate(found) | Speak(_, found):
            if not found.readings and found.hint is Hint.NOTHING:
                return replace(request, read=quoted)
    return request


def _lines(template: Template) -> Iterator[str]:
    """Patterns for the lines of a text, as they are when squeezed."""
    bare = template.barest({name: f"{{{name}}}" for name in template.names})
    for line in bare.splitlines():
        literal = NAME.sub(" ", line)
        if sum(map(str.isalpha, literal)) >= _LEAST_LETTERS:
            yield " ".join(filter(None, map(_piece, re.split(r"(\{\w+\})", line))))


def _piece(piece: str) -> str:
    if NAME.fullmatch(piece):
        return _CODES if piece in ("{code}", "{example}") else _VALUE
    return " ".join(re.findall("[A-Z0-9]+", normalised(piece)))
