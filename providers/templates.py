"""Texts that a carrier has registered, and finding the one that a message was written by. Pure.

Where a carrier takes nothing else, a wording names the carrier's template for it (`Registered`), or the channel's
settings list texts that stand in no wording, by the carrier's id for each, with their parameters in braces:
`"1024" = "Ho so {ma} dang duoc {don vi} giai quyet."`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from providers.contract import Outbound, Rejected
from smsgw.text.accents import plain, unaccented
from smsgw.text.segments import measure

# What becomes of a text that is by none of them; a channel behind this one on the route may take it.
UNREGISTERED = Rejected("no_template", "the text is by no template registered with the carrier", elsewhere=True)

_PARAMETER = re.compile(r"(\{[^{}]*\})")
_PARAMETER_OR_BRACKET = re.compile(r"(\{[^{}]*\}|[\[\]])")


@dataclass(frozen=True, slots=True)
class Registered:
    """A text of the wording that is registered with a carrier, under the carrier's `id` for it.

    `where` the text stands, for who has to mend it. `text`: names in braces are filled in, what is in brackets may be
    left out and is not registered. `parameters`: the carrier's name of each, in its order, and ours.
    """

    where: str
    id: str
    text: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def always(self) -> tuple[str, ...]:
        """The names that are never left out, in their order."""
        apart = _taken_apart(self.text, _PARAMETER_OR_BRACKET)
        return tuple(apart.names[group] for group in apart.places.values())

    @property
    def bare(self) -> str:
        """What the carrier has registered: the text without accents and without what is in brackets."""
        return "".join(_taken_apart(unaccented(self.text), _PARAMETER_OR_BRACKET).bare)


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with what its parameters hold, in their order. `names`: the carrier's, of the parameters.

    `text`: as it goes out, without what is not registered. A name that comes twice is two parameters.
    """

    id: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    text: str


@runtime_checkable
class Choosy(Protocol):
    """A provider whose carrier takes registered texts: only these, or where it has any."""

    templates: Templates


class Templates:
    """The registered texts of one channel: those that its settings list, by id, and those that the wording names."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._listed = _in_order(_Form.listed(id, text) for id, text in texts.items())
        self._listed_plain = _in_order(_Form.listed(id, unaccented(text)) for id, text in texts.items())
        self._worded: Sequence[_Form] = ()

    def __bool__(self) -> bool:
        return bool(self._listed or self._worded)

    def register(self, texts: Iterable[Registered]) -> None:
        """These texts of the wording are registered too, to be found with their accents or without."""
        spellings = (_composed, unaccented)
        self._worded = _in_order(_Form.worded(text, spelling(text.text)) for text in texts for spelling in spellings)

    def filled(self, text: str) -> Filled | None:
        """The template that a text was written by, with accents or without; None if it is by none of them."""
        text = _composed(text)
        return _first(self._listed, text) or _first(self._listed_plain, text) or _first(self._worded, text)

    def filled_plain(self, text: str) -> Filled | None:
        """The same for SMS, where carriers register texts without accents; those of the wording always go out so."""
        return _first(self._listed, text) or _first(self._worded, plain(text))

    def know(self, text: str) -> bool:
        """Whether a text is by any of them."""
        return bool(self.filled(text) or self.filled_plain(text))

    def as_registered(self, message: Outbound) -> Outbound | None:
        """An SMS as it may go out; None if its text is by no template. Where there are none, as it is."""
        if not self:
            return message
        if (filled := self.filled_plain(message.text)) is None:
            return None
        size = measure(filled.text)
        return message._replace(text=filled.text, encoding=size.encoding, segments=size.segments)


@dataclass(frozen=True, slots=True)
class _Apart:
    """A text taken apart: a pattern that finds its parameters, and what of it stands outside of brackets.

    `places`: where in `bare` a parameter is, and which of the pattern's groups.
    """

    names: list[str]
    pattern: list[str]
    bare: list[str]
    places: dict[int, int]


def _taken_apart(text: str, marks: re.Pattern[str]) -> _Apart:
    apart, depth = _Apart([], [], [], {}), 0
    for piece in marks.split(text):
        if piece in ("[", "]") and marks is _PARAMETER_OR_BRACKET:
            depth += 1 if piece == "[" else -1
            apart.pattern.append("(?:" if piece == "[" else ")?")
            continue
        if named := _PARAMETER.fullmatch(piece):
            # A parameter is as short as it can be, and never empty: carriers refuse an empty one.
            apart.pattern.append("(.+?)")
            if depth == 0:
                apart.places[len(apart.bare)] = len(apart.names)
            apart.names.append(named[0].strip("{} "))
        else:
            apart.pattern.append(re.escape(piece))
        if depth == 0:
            apart.bare.append(piece)
    return apart


@dataclass(frozen=True, slots=True)
class _Form:
    """One spelling of a registered text. `wanted`: which of the pattern's groups the carrier gets, under which name."""

    id: str
    pattern: re.Pattern[str]
    wanted: tuple[tuple[str, int], ...]
    bare: tuple[str, ...]
    places: Mapping[int, int]

    @classmethod
    def listed(cls, id: str, text: str) -> _Form:
        apart = _taken_apart(text, _PARAMETER)
        return cls._of(id, apart, [(name, group) for group, name in enumerate(apart.names)])

    @classmethod
    def worded(cls, registered: Registered, text: str) -> _Form:
        apart = _taken_apart(text, _PARAMETER_OR_BRACKET)
        groups = {apart.names[group]: group for group in apart.places.values()}
        return cls._of(registered.id, apart, [(theirs, groups[ours]) for theirs, ours in registered.parameters])

    @classmethod
    def _of(cls, id: str, apart: _Apart, wanted: Iterable[tuple[str, int]]) -> _Form:
        pattern = re.compile("".join(apart.pattern), re.DOTALL)
        return cls(id, pattern, tuple(wanted), tuple(apart.bare), apart.places)

    @property
    def fixed(self) -> int:
        """How many characters of it are always the same."""
        return sum(len(piece) for place, piece in enumerate(self.bare) if place not in self.places)

    def filled(self, text: str) -> Filled | None:
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values = found.groups()
        said = (values[self.places[place]] if place in self.places else piece for place, piece in enumerate(self.bare))
        names, groups = zip(*self.wanted, strict=True) if self.wanted else ((), ())
        return Filled(self.id, names, tuple(values[group] for group in groups), "".join(said))


def _in_order(forms: Iterable[_Form]) -> list[_Form]:
    """The more of a text is fixed, the earlier it is tried, so that one with fewer parameters goes first."""
    return sorted(forms, key=lambda form: -form.fixed)


def _first(forms: Iterable[_Form], text: str) -> Filled | None:
    return next((found for form in forms if (found := form.filled(text))), None)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
