"""What citizens have to say to the agencies, and how they ask what came of it."""

from __future__ import annotations

import re

from smsgw.answers.asked import AskVoice, Speak
from smsgw.answers.spelling import complaints, holds, is_only, says_nothing, without_keywords, without_polite_end
from smsgw.answers.vocabulary import HOW_FAR, INSTEAD_OF_WORDS, NOT_ANSWERED
from smsgw.answers.words import Words, alphanumeric, behind, spelt_out, squeezed, sums_named
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, normalised, read

WORD = re.compile(r"(?<![A-Z0-9])(?![A-Z][OILSB]{2}\b)[A-Z]{2,}(?![A-Z0-9])")
SO = re.compile("(?: (?:VAY|THE|HA|NHI|DAY))+$")
_OWN_VOICE = re.compile(r"(?:(?:SO|MA)\b)?[^A-Z0-9]*(\d{6})\b|CUA (?:TOI|EM|E|MINH|CON|CHAU)\b")  # and how far it is
_EARLIER = re.compile(r"^(?:(?:HOM|BUA|LAN|TUAN|THANG) (?:TRUOC|QUA|ROI)|HOM BUA) ")  # "phan anh hom truoc sao roi"
_MOST_TO_ASK = 10  # words; who says more complains, of an answer as well
_HOW_FAR_IT_IS = frozenset(name.removesuffix(" ROI") for name in HOW_FAR)
_ANY_WORD = re.compile(r"[^\W\d_]{2}|[^\W\d_A-Z]")  # in any script
_VOICE_NUMBER = re.compile(r"(?:(?:SO|MA)\b)?[^A-Z0-9]*(\d{1,9})[^A-Z0-9]*")


def spoken_behind(text: str, found: Read, words: Words) -> Speak | None:
    """A complaint about the dossier whose code it begins with: its short word, or one with a colon, and more behind."""
    plain = normalised(text)
    begun = complaints(words).search(plain)
    codes = plain[: begun.start()] if begun else ""
    if begun is None or WORD.search(without_keywords(codes, words)) or read(codes, words.look_up) != found:
        return None
    said = _own_words(text, len(alphanumeric(plain[: begun.end()])), words)
    return Speak(said, found) if WORD.search(sums_named(plain[begun.end() :])) else None


def spoken(text: str, rest: str, letters: int, words: Words) -> Speak | AskVoice:
    """What somebody says who begins with a word of complaint: `rest` is behind it and its so many letters."""
    if number := _VOICE_NUMBER.fullmatch(without_polite_end(rest, words)):
        return AskVoice(int(number[1]))
    said = spelt_out(squeezed(without_polite_end(rest, words)))
    how_far = _EARLIER.sub("", said).removesuffix(" ROI") in _HOW_FAR_IT_IS
    if how_far or any(
        is_only(all_said, INSTEAD_OF_WORDS, words) for all_said in (spelt_out(squeezed(rest)), SO.sub("", said))
    ):
        return Speak("", Read((), Hint.NOTHING))  # nothing is said yet, or of one that was made, its number is missing
    about = _OWN_VOICE.match(rest)
    if about and (_asks_of_voice(said) or not WORD.search(rest[about.end() :])):
        return AskVoice(int(about[1])) if about[1] else Speak("", Read((), Hint.NOTHING))
    found = read(rest, words.look_up)
    if found.readings and not WORD.search(without_keywords(sums_named(rest), words)):
        return Speak("", found)  # a code, and nothing is said yet
    return Speak(_own_words(text, letters, words), found)


def _asks_of_voice(said: str) -> bool:
    """Whether it is asked how far a complaint is: "... trả lời chưa", "... đâu", "... lâu quá"."""
    asks = holds(said, (*HOW_FAR, *NOT_ANSWERED)) or said.endswith((" CHUA", " DAU"))
    return asks and len(said.split()) <= _MOST_TO_ASK


def _own_words(text: str, letters: int, words: Words) -> str:
    """What is said behind so many letters and digits; nothing if that is no word, or nothing is said by it.

    "PA ạ", "PA ok", "PA H01... không" are no complaints yet.
    """
    said = behind(text, letters)
    plain = normalised(said)
    in_words = " ".join(word for word in squeezed(plain).split() if word.isalpha())
    says_something = _ANY_WORD.search(plain) and not says_nothing(in_words, words)
    return said if says_something else ""
