"""Who asks, what the gateway knows of them, and what is said to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple

from smsgw.dossiers.dossier import Dossier
from smsgw.store.chats import Change
from smsgw.store.effects import Effect, Following, Rated, Receiving
from smsgw.store.opt_outs import Purpose
from smsgw.store.voices import Voice
from smsgw.text.addresses import scheme
from smsgw.text.languages import Language

Kind = Literal[
    "status",
    "not_found",
    "ambiguous",
    "incomplete",
    "help",
    "preference",
    "refused",
    "apology",
    "follow",
    "list",
    "opt_out",
    "opt_in",
    "rating",
    "voice",
    "needs_sms",
    "greeting",
    "link",
]


@dataclass(frozen=True, slots=True)
class Ties:
    """What a phone has to do with dossiers and agencies, as far as its request needs it.

    codes      dossiers that have to be looked up for it, although the request does not name them
    followed   codes, the latest last
    refused    codes of its own dossiers that it does not want to be told of
    own        codes of dossiers with this phone on them, as far as is known; those that changed last first
    recent     codes that it was told about, the latest first
    lately     the same, if that was within the hour and a list of its dossiers was no later answer
    rated      codes
    silent     purposes that it opted out of
    voice      the one that it asks about
    number     a free one, for a new voice
    """

    codes: frozenset[str] = frozenset()
    followed: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    own: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    lately: tuple[str, ...] = ()
    rated: frozenset[str] = frozenset()
    silent: frozenset[Purpose] = frozenset()
    voice: Voice | None = None
    number: int = 0

    def after(self, effect: Effect) -> Ties:
        """The same after an effect of an earlier message of this phone, which is not written yet."""
        match effect:
            case Following(code, wanted):
                others = tuple(other for other in self.followed if other != code)
                refused = self.refused - {code} if wanted else self.refused | {code}
                return replace(self, followed=(*others, code) if wanted else others, refused=refused)
            case Receiving(purposes, wanted):
                silent = self.silent.difference(purposes) if wanted else self.silent.union(purposes)
                return replace(self, silent=silent)
            case Rated(code):
                return replace(self, rated=self.rated | {code})
        return self


NO_TIES = Ties()


class Asker(NamedTuple):
    """Who asks, and how they want to be answered. On the web there is no phone.

    `misses`: unknown codes asked for in the last hour. `whole`: a text need not fit into an SMS.
    """

    phone: str | None
    language: Language = "vi"
    accents: bool = False
    misses: int = 0
    whole: bool = False
    ties: Ties = NO_TIES

    @property
    def unlinked(self) -> bool:
        """Whether it is somebody in a chat of whom no phone is known."""
        return self.phone is not None and scheme(self.phone) is not None

    def owns(self, dossier: Dossier) -> bool:
        """Whether the asker's phone is the one on the dossier."""
        return self.phone is not None and self.phone == dossier.owner

    def follows(self, dossier: Dossier) -> bool:
        """Whether the asker is told of the dossier: the owner is without asking for it."""
        ties = self.ties
        return dossier.code in ties.followed or (self.owns(dossier) and dossier.code not in ties.refused)


class Said(NamedTuple):
    """What is to be said: a text of the wording and what is filled in; what it is about, offers and changes.

    `delay` in seconds; None: as long as one who guesses waits. `below`: lines that follow on the text.
    """

    kind: Kind
    key: str
    values: Mapping[str, str | None] = MappingProxyType({})
    codes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    delay: float | None = None
    below: tuple[str, ...] = ()


class Reply(NamedTuple):
    """What is said. `codes` it is about; `options` it offers, to be chosen by number; `effects`: what it changes.

    `phone`: whose the effects are; in a chat, the one that was linked with it. `delay` in seconds. `changes` in what is
    known of somebody in a chat. `language` and `accents` are what the asker wants from now on. `misses`: unknown codes
    that it was asked for.
    """

    text: str
    kind: Kind
    language: Language
    accents: bool
    codes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    phone: str | None = None
    delay: float = 0.0
    changes: tuple[Change, ...] = ()
    misses: int = 0
