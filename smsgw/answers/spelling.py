"""How commands stand in a text: what they begin with, and what is polite around them and means nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from string import ascii_uppercase

from smsgw.answers import vocabulary
from smsgw.answers.asked import Misspelling
from smsgw.answers.words import LONGEST_COMMAND, POINTS, Words, keyed, spelt_out, squeezed, written
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, normalised, read

# A code may come right here: a chunk with a digit in it, or a letter slot whose digits are written as letters.
_CODE_HERE = re.compile(r"[A-Z0-9]*\d|[A-Z](?:[OILSB]{2})?[^A-Z0-9]+[OILSB]*\d")
_APART = "[^A-Z0-9]+"
# "Ba" is father, too, and grandmother, and else a three. "PA oi troi" is what somebody sighs who complains.
_FATHER_CALLED = re.compile(
    rf"[^A-Z0-9]*(?:(?:DA|ALO|CHAO|THUA){_APART})*(?:PA|BA){_APART}{keyed('OI')}(?!{_APART}(?:TROI|GIOI|CHAO|THOI)\b)\b"
)
_AT_A_TIME = r"(?:LUC|SANG|TRUA|CHIEU|TOI NAY|MAI|NAY|CHUT|NUA|\d{1,2}H?(?:\d\d)?|GIO)"
_FATHER_ASKED = re.compile(
    rf"PA (?:{_AT_A_TIME} )*(?:{'|'.join(vocabulary.TO_FATHER)})"
    rf"(?: (?:{_AT_A_TIME}|ROI|VAY|THE|DO|A|HA|DI|VOI|NHE|NHA|NGHE|NHEN|NGHEN|NHIEU|PA))*"
)
LONGEST_END = 60  # characters in which polite words at the end are sought: a long text must not take long
# "Nhan DS", as our own texts say it, and "soan DS gui 8188", as posters do. With its accent the first one is to get.
_TOLD_TO_TEXT = re.compile(
    r"\W*(?:xin\s+)?(?:(?P<posted>so[aạ]n)|nh[aắ]n)(?:\s+tin(?:\s+nh[aắ]n)?)?[\s:]+", re.IGNORECASE
)
_TO_SHORT_CODE = re.compile(
    r"\sg[uử]i(?:\s+(?:[dđ][eế]n|t[oớ]i|v[eề]|s[oố]|t[oổ]ng [dđ][aà]i))*\s+\d{3,6}\W*$", re.IGNORECASE
)
# What stands there in a code's place: "huy cai nay", "DK ca hai nha", and the form as we tell it, "HUY va ma ho so".
_NO_CODE = re.compile(
    r"(?:(?:HO SO|HS|MA|CAI) (?:DO|NAY)|(?:CA (?:HAI|BA|[23])|HET|TAT CA)(?: (?:HO SO|HS|MA|CAI))?(?: NAY)?|LUON"
    r"|(?:VA )?MA HO SO(?: VA DIEM)?)[^A-Z0-9]*(?:(?:A|NHE|NHA|DI|VOI)\b\W*)*"
)
# "tre hen 3 ngay", "tre ca tuan", "nop ho so 2 thang roi", "doi 5 bua nay"; but "cho tre 3 thang" is for a child.
_SO_LONG = rf"(?:\d{{1,3}}|{vocabulary.NUMERAL}|CA|NUA) (?:NGAY|TUAN|THANG|BUA|HOM|NAM)\b"
_HAS_WAITED = re.compile(
    rf"(?<!CHO )\b(?:TRE|CHAM)(?: (?:HEN|DEN|TOI|HON|GAN|MAT|HET|DUOC))* {_SO_LONG}(?! TUOI)"
    rf"|\b(?:(?:CHO|DOI)(?: (?:DA|DUOC|HON|GAN|MAT|HET|TOI|DEN|SUOT|HO SO|KET QUA|GIAY))*|NOP(?: [A-Z]+){{0,4}})"
    rf" {_SO_LONG} (?:ROI|NAY)\b"
    r"|\bLATE (?:BY |FOR )?\d+ (?:DAY|WEEK|MONTH)S?\b|\b(?:DAY|WEEK|MONTH)S? LATE\b"
)
_OK = re.compile("(?:(?:OK|OKE|OKI|OKAY|VANG)[^A-Z0-9]+)+")
# "Cam on, cho hoi ...", "ok, may gio dong cua", "..., con toi lay giup duoc khong". "So hong" is no "so khong".
_ASKED = re.compile(
    r"\b(?:(?:CHO|XIN|MUON)(?: [A-Z]+){0,2} HOI|MAY GIO|BAO NHIEU|BAO LAU|O DAU|LAM SAO|TAI SAO|THE NAO)\b"
    r"|\b(?:WHAT|WHEN|WHERE|HOW)\b"
    r"|(?:\bCHUA|(?<=[A-Z] )(?<!SO )(?<!GIAY )KHONG|\b(?:CAN|LAM|LA|MANG|NOP) GI)(?: (?:VAY|THE|HA|NHI|TA|HE))*$"
)
_SCORE = rf"([1-5])(?:\s*(?:{POINTS}|/\s*5))?"
_NO_SCORE = r"(?<!\bHAY)(?<!\bHOAC)(?<!\bDEN)(?<!\bTOI)"  # "4 hay 5", and "1 den 5", as we say it ourselves
_TIMES = r"(?!(?:NGAY|TUAN|THANG|NAM|GIO|PHUT|LAN|BUA|HOM)\b)"  # "5 ngay chua xong", which is none either
_ASKED_ABOUT = rf"(?!(?:{POINTS}\W*)?(?:(?:HA|K|KO|KHONG|LA GI|LA SAO)\b\W*$|\?\W*$))"  # "5 ha?", which is none yet
_SCORE_LAST = re.compile(rf"(?:^|{_NO_SCORE}\s){_SCORE}[^A-Z0-9?]*$")
_SCORE_FIRST = re.compile(rf"{_SCORE}\s+")
_SCORE_AND_WORDS = re.compile(rf"\s{_SCORE}[^A-Z0-9]+{_TIMES}{_ASKED_ABOUT}[A-Z][^0-9]*$")


def holds(command: str, names: Iterable[str]) -> bool:
    """Whether one of these stands among squeezed words."""
    among = f" {command} "
    return any(f" {name} " in among for name in names)


def is_plain(name: str) -> bool:
    """Whether words mean the same wherever they stand.

    "TU CHOI" may be what has befallen a dossier, and "NHAN LAI" is what is done with one's papers.
    """
    return " " in name and name not in ("TU CHOI", "NHAN LAI")


def no_more(words: Words) -> tuple[str, ...]:
    """What somebody says who wants to follow no more, and maybe not what; or wants a dossier back."""
    ended = (name for name in words.unfollow if name.endswith("THEO DOI"))
    refused = ("KHONG THEO DOI", "KHONG MUON THEO DOI", "KHONG CAN THEO DOI", "HUY HET", "HUY TAT CA")
    return (*refused, "NOT FOLLOW", "DON T FOLLOW", "DONT FOLLOW", *vocabulary.WITHDRAW, *ended)


def without_yes(command: str, words: Words) -> str:
    """Squeezed words without a yes before or behind them: of "OK 1" and "1 DUNG ROI" the number."""
    said = command.split()
    first = next((at for at, word in enumerate(said) if word not in words.agree), 0)
    last = next((at for at, word in enumerate(reversed(said)) if word not in words.agree), 0)
    return " ".join(said[first : len(said) - last])


def without_ok(command: str) -> str:
    """Squeezed words without an OK before them: "ok DS"."""
    said = _OK.match(command)
    return command[said.end() :] if said else command


def asks(command: str, words: Words) -> bool:
    """Whether squeezed words ask something, whatever else they say."""
    return _ASKED.search(spelt_out(without_polite_end(command, words))) is not None


def has_waited(command: str) -> bool:
    """Whether squeezed words tell how long somebody waits already, or how late a dossier is."""
    return _HAS_WAITED.search(command) is not None


def calls_for_help(command: str, words: Words) -> bool:
    """Whether squeezed words tell of danger, and not of the papers that are to be had after it."""
    return holds(command, words.emergency) and not holds(command, vocabulary.PAPERS)


def is_only(command: str, names: Iterable[str], words: Words) -> bool:
    """Whether squeezed words are one of these, with nothing behind it but what is polite."""
    begun = (name for name in names if f"{command} ".startswith(f"{name} "))
    return any(not without_polite_end(f" {command.removeprefix(name)}", words).strip() for name in begun)


def says_nothing(command: str, words: Words) -> bool:
    """Whether squeezed words are only a yes, a no, thanks, a greeting, what is polite, in any number."""
    return _nothing_said(words).fullmatch(command) is not None


@lru_cache(maxsize=4)
def _nothing_said(words: Words) -> re.Pattern[str]:
    singles = (name for name in (*words.agree, *words.thanks, *words.speak) if " " not in name)
    names = sorted((*words.polite, *singles, *vocabulary.SAYING_NOTHING), key=len, reverse=True)
    return re.compile(rf"(?:(?:{'|'.join(names)})(?: |$))++")  # each once: a long text must not take long


def is_to_father(text: str) -> bool:
    """Whether a text calls upon somebody's father ("pa oi ..."), or asks "pa" what nobody asks an agency."""
    plain = normalised(text)
    if _FATHER_CALLED.match(plain):
        return True
    return plain.startswith("PA") and _FATHER_ASKED.fullmatch(spelt_out(squeezed(plain))) is not None


def as_told(text: str) -> tuple[str, bool] | None:
    """What a text that is written as on a poster has to be texted, "soan DS gui 8188"; and whether that is surely all.

    None for any other text. "Nhan pa ..." may be to tell somebody's father, and "... gui 5000" a sum.
    """
    composed = unicodedata.normalize("NFC", text)
    begun = _TOLD_TO_TEXT.match(composed)
    ended = _TO_SHORT_CODE.search(composed, max(0, len(composed) - LONGEST_END))
    if begun is None and ended is None:
        return None
    said = composed[begun.end() if begun else 0 : ended.start() if ended else len(composed)]
    return said, begun is not None and (begun["posted"] is not None or ended is not None)


def receiving(words: Words) -> frozenset[str]:
    """The words that opt out or in."""
    out = (*words.opt_out, *words.opt_out_notices, *words.opt_out_reminders)
    return written((*out, *words.opt_in, *words.opt_in_notices, *words.opt_in_reminders))


def unpolite(command: str, words: Words) -> tuple[str, str]:
    """The words of a text without what is polite before them; and without what is polite behind them, too."""
    spelt = "|".join(words.polite) or "(?!)"
    begun = re.sub(rf"^(?:(?:{spelt}) )+", "", command)
    return begun, without_polite_end(begun, words)


@lru_cache(maxsize=4)
def beginnings(words: Words) -> re.Pattern[str]:
    """The commands that more follows on; whoever opts in or out before a code means that one."""
    groups = (
        _command("follow", _following(words), ""),
        _command("unfollow", _unfollowing(words), ""),
        _command("rate", words.rate, r"(?![A-Z](?!\d))"),  # a code may be glued to it, and no word
        _command("speak", words.speak, "(?![A-Z])"),
    )
    begin = rf"[^A-Z0-9]*(?:{_OK.pattern})?(?:{_group('polite', words.polite, _APART)})*"
    return re.compile(rf"{begin}(?:{'|'.join(filter(None, groups))})[^A-Z0-9]*" if any(groups) else "(?!)")


@lru_cache(maxsize=4)
def endings(words: Words) -> re.Pattern[str]:
    """The commands that may stand behind a code and end the text; behind a question mark somebody only asks."""
    polite, rate = _group("polite", words.polite, _APART), _typed(words.rate)
    commands = filter(
        None,
        (
            _command("follow", words.follow, ""),
            _command("unfollow", words.unfollow, ""),
            f"(?:(?:{rate})[^A-Z0-9]*)?(?P<stars>[1-5])[^A-Z0-9]*{POINTS}" if rate else "",
            f"(?:{rate})[^A-Z0-9]*(?P<score>[1-5])" if rate else "",
        ),
    )
    behind = rf"(?:{_APART}{_group('behind', words.polite, '')})*" if polite else ""
    return re.compile(rf"{_APART}(?:{polite or '(?!)'})*(?:{'|'.join(commands) or '(?!)'}){behind}[^A-Z0-9?]*$")


def _following(words: Words) -> tuple[str, ...]:
    return (*words.follow, *words.opt_in)


def _unfollowing(words: Words) -> tuple[str, ...]:
    return (*words.unfollow, *(word for word in words.opt_out if word not in words.look_up))


def misspelt(command: str, words: Words) -> Misspelling | None:
    """The command that squeezed words begin with but for one slip of the hand; before a code, or words of complaint."""
    said = without_keywords(command, words).split()
    numbered = next((at for at, word in enumerate(said) if not word.isalpha()), len(said))
    complaints, before_code = _misspellings(words)
    for size in range(1, min(LONGEST_COMMAND, numbered, len(said) - 1) + 1):
        if "".join(said[:size]) in complaints:
            return "speak"
    if not 0 < numbered < len(said):
        return None
    begun = " ".join(said[:numbered])
    if any(begun.startswith(f"{name} ") for name in (*words.follow, *words.unfollow) if name.endswith("THEO DOI")):
        return "follow"  # "theo doi ho so cua me toi": nothing else is meant by it, but more was said
    before = begun.replace(" ", "")
    typed = (before, *(before.removesuffix(keyword.replace(" ", "")) for keyword in words.look_up))
    return next((before_code[letters] for letters in typed if letters in before_code), None)


@lru_cache(maxsize=4)
def _misspellings(words: Words) -> tuple[frozenset[str], Mapping[str, Misspelling]]:
    """What nearly is a word of complaint; and right before a code, where more is sure, each of the other commands."""
    known: tuple[tuple[Misspelling, tuple[str, ...]], ...] = (
        ("rate", words.rate),
        ("unfollow", words.unfollow),
        ("follow", words.follow),
    )
    complaints = frozenset(slip for name in words.speak for slip in _slips(name, before_code=False))
    return complaints, {
        slip: does
        for does, names in known
        for name in names
        if name not in vocabulary.NEAR_OTHER_WORDS
        for slip in _slips(name, before_code=True)
    }


def _slips(name: str, *, before_code: bool) -> Iterator[str]:
    """A name with one letter twice or two in the wrong order; a long one with any letter too many.

    A long one right before a code may also lack a letter or have another one; "nhan anh" is no "phan anh" elsewhere.
    Of three letters too little is left to know it by: Thuy is a person. One of two can only be known there by both of
    them, apart or one of them twice: D K, DKK.
    """
    letters = name.replace(" ", "")
    is_long = len(letters) >= 6
    if len(letters) == 2 and before_code:
        yield from (letters, letters[0] + letters, letters + letters[1])
    for at, letter in enumerate(letters if len(letters) > 2 else ""):
        before, behind = letters[:at], letters[at + 1 :]
        yield from (before + other + letter + behind for other in (ascii_uppercase if is_long else letter))
        if behind and behind[0] != letter:
            yield before + behind[0] + letter + behind[1:]
        if is_long and before_code:
            yield before + behind
            yield from (before + other + behind for other in ascii_uppercase if other != letter)


def up_to_the_opposite(rest: str, command: str, words: Words) -> str:
    """What stands behind "follow" or "unfollow" before the other one of them: the codes behind that aren't its own.

    Nothing, if that is only polite.
    """
    own = _opposite(_unfollowing(words) if command == "follow" else _following(words)).split(rest, 1)[0]
    return own if without_polite_end(f" {own}", words).strip() else ""


@lru_cache(maxsize=8)
def _opposite(commands: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z0-9])(?:{'|'.join(commands)})(?![A-Z0-9])" if commands else "(?!)")


def _group(name: str, words: tuple[str, ...], behind: str) -> str:
    return f"(?P<{name}>(?:{_spelt(words)}){behind})" if words else ""


def _command(name: str, words: tuple[str, ...], behind: str) -> str:
    return f"(?P<{name}>(?:{_typed(words)}){behind})" if words else ""


def _typed(words: tuple[str, ...]) -> str:
    """Commands, also where keys of Telex were left in them, as in HUYR: nothing else is written so.

    Those of two letters are no words to be accented, but short for some: D.K, and DDK or D9K, which were to be ĐK.
    """
    spelt = (
        "[^A-Z0-9]*".join(map(keyed, word.split())) if len(word) > 2 else "[.]?".join(word).replace("D", "D[D9]?")
        for word in sorted(words, key=len, reverse=True)
    )
    return "|".join(spelt)


def _spelt(words: tuple[str, ...]) -> str:
    return "|".join(word.replace(" ", "[^A-Z0-9]*") for word in sorted(words, key=len, reverse=True))


def code_here(rest: str, words: Words) -> Read | None:
    """The codes that a text begins with, or what it has instead; nothing in an empty one, None for an ordinary text."""
    if not rest or _NO_CODE.fullmatch(rest):
        return Read((), Hint.NOTHING)
    begun = without_keywords(rest, words)
    if not _CODE_HERE.match(begun):
        return None
    found = read(begun, ())
    return found if found.readings or found.hint is not Hint.NOTHING else None


def without_keywords(text: str, words: Words) -> str:
    """A plain text without the words before a code that ask for it, and what is polite among them, at its beginning."""
    return _keywords(words).sub("", text)


@lru_cache(maxsize=4)
def _keywords(words: Words) -> re.Pattern[str]:
    keywords, polite = _command("keyword", words.look_up, "[^A-Z0-9]*"), _group("polite", words.polite, _APART)
    return re.compile(rf"^(?:{keywords}|{polite or '(?!)'})+")


def without_polite_end(text: str, words: Words) -> str:
    """A text without what is polite at its end: "5 A" is a score, and "129410 NHE" a number."""
    polite = _group("polite", words.polite, "")
    start = max(0, len(text) - LONGEST_END)
    return text[:start] + re.sub(rf"(?:{_APART}{polite})+[^A-Z0-9]*$", "", text[start:]) if polite else text


def scores(rest: str) -> list[tuple[int, str]]:
    """Each way to find a score in what follows on the command: the score, and what is left to be a code."""
    last = [found for found in (_SCORE_LAST.search(rest), _SCORE_AND_WORDS.search(rest)) if found]
    first = [found for found in [_SCORE_FIRST.match(rest)] if found]
    return [
        *((int(found[1]), rest[: found.start()]) for found in last),
        *((int(found[1]), rest[found.end() :]) for found in first),
    ]


@lru_cache(maxsize=4)
def complaints(words: Words) -> re.Pattern[str]:
    """Where a complaint may begin in a plain text: at its shortest word, or at any spelt with a colon."""
    shortest, spelt = _group("short", words.speak[:1], "(?![A-Z0-9])"), _group("spelt", words.speak, r"\s*:")
    any_of = "|".join(filter(None, (shortest, spelt)))
    return re.compile(rf"(?<![A-Z0-9])(?:{any_of})" if any_of else "(?!)")
