"""What a citizen's text asks."""

from __future__ import annotations

import re
import unicodedata

from smsgw.answers.asked import (
    Agree,
    AskWhatLacks,
    CallForHelp,
    Choose,
    Disagree,
    Follow,
    Help,
    HowToReceive,
    ListFollowed,
    LookUp,
    Misspelt,
    Prefer,
    Rate,
    Receive,
    Request,
    Speak,
    Thank,
    Unfollow,
)
from smsgw.answers.beside import asks_how_far, asks_what_it_is, asks_whether, beside, waits
from smsgw.answers.names import Name, calls_somebody, is_not_to_stop, is_sunday, may_be_no_wish, named
from smsgw.answers.speaking import SO, WORD, spoken, spoken_behind
from smsgw.answers.spelling import (
    LONGEST_END,
    as_told,
    asks,
    beginnings,
    calls_for_help,
    code_here,
    endings,
    has_waited,
    holds,
    is_plain,
    is_to_father,
    misspelt,
    no_more,
    receiving,
    says_nothing,
    scores,
    unpolite,
    up_to_the_opposite,
    without_keywords,
    without_ok,
    without_polite_end,
    without_yes,
)
from smsgw.answers.vocabulary import NOT_WITHDRAWN, WHAT_LACKS
from smsgw.answers.words import (
    Words,
    alphanumeric,
    choice,
    scored,
    spelt_out,
    squeezed,
    stars,
    sums_named,
    weekday,
    without_keys,
    written,
)
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, alone, normalised, read
from smsgw.store.opt_outs import PURPOSES

EXAMPLE = "H01.12-180802-0012"  # a code as texts show it to citizens
# As they show it: in a text that has this, a reply of ours is quoted, and nobody asks for that dossier.
_OUR_EXAMPLE = re.compile(rf"(?:v[ií] d[uụ]|e\.g\.|nhắn:|nhan:|text:)\W*(?:\w+\W+){{0,4}}{EXAMPLE}", re.IGNORECASE)

_SINGLE_LETTERS = re.compile("[A-Z](?: [A-Z])+")
_GLAD = "👍👌🙏👏💐🌹❤♥😀😁😃😄😊🙂🥰☺✅"
_GLAD_IN_SIGNS = re.compile(r"[:=][-']?[)D]")
_HEART = re.compile(r"(?<!\S)<3+(?!\S)")  # no number, and so no option that is chosen
_MAY_BE_TO_STOP = ("DUNG",)  # yes with one accent, and to stop with another: that is no thanks
_THAT_ONE = re.compile(" (?:HO SO|MA|CAI) (?:DO|NAY)$")  # "dung ho so do", "khong phai ma nay"
_TO_STOP = re.compile("[dđ]ừng")
# What has the words of a complaint and is none: "khong co y kien", "thai do rat tot", "co phai lua dao khong".
_CONTENT = re.compile(
    r"\bKHONG (?:CO )?(?:Y KIEN|KHIEU NAI|PHAN ANH|GOP Y)\b"
    r"|\bTHAI DO (?:RAT )?(?:TOT|NHIET TINH)\b|\bLUA DAO(?: KHONG| HA)$"
)
_NOWHERE = re.compile(r"\bđâu\b")  # "có đâu" and "không đâu" are a no, and not with or without accents
_TEXT_AGAIN = re.compile(r"\bnhắn lại\b")  # and not to get texts again


def understand(text: str, words: Words) -> Request:
    """What a text asks. A code in it makes it a look-up, unless a command that takes one stands right before it."""
    if code := alone(text, words.look_up):
        return LookUp(code)
    if is_to_father(text):
        return LookUp(read(text, words.look_up))  # by mistake: whatever else is said is for nobody here
    return _as_told(text, words) or _understood(text, words)


def _as_told(text: str, words: Words) -> Request | None:
    """What a text asks that repeats how we or a poster say to ask it; None if it doesn't, or asks nothing."""
    told = as_told(without_our_example(text))
    if told is None or not told[0].strip() or is_to_father(told[0]):
        return None
    said, surely = told
    request = _understood(said, words)
    match request:
        case LookUp(Read(readings=())):
            return None
        case Receive():
            return HowToReceive()
        case Speak(own, found) if own and not surely:
            return _with_more(text, words) or Speak("", found)
    return request


def _understood(text: str, words: Words) -> Request:
    """The same of a text that is what its sender wants to say."""
    if (request := _with_more(text, words)) is not None:
        return request
    text = without_our_example(text)
    found = read(text, words.look_up)
    if found.readings:
        return _behind(text, found, words) or _misspelt(text, found, words) or _beside(text, found, words)
    text = _HEART.sub("♥", text)
    command = squeezed(text)
    if (request := _misspelt(text, found, words)) is not None:
        return request
    for said in dict.fromkeys((command, spelt_out(squeezed(sums_named(text))))):
        if (request := _commanded(text, said, words)) is not None:
            return request
    if _thanks(command, words):
        return Thank()
    if (request := _with_keys_left(text, command, words)) is not None:
        return request
    if calls_for_help(command, words):
        return CallForHelp()
    return LookUp(found) if command else Help()


def _misspelt(text: str, found: Read, words: Words) -> Misspelt | None:
    if not text[:1].isalpha() or any(character.isdigit() for character in text.split(None, 1)[0]):
        return None  # most begin with their code
    name = misspelt(squeezed(text), words)
    return Misspelt(name, found) if name and (found.readings or name == "speak") else None


def _beside(text: str, found: Read, words: Words) -> Misspelt | LookUp:
    told = beside(text, found, words)
    return Misspelt(told, found) if told else LookUp(found)


def _with_keys_left(text: str, command: str, words: Words) -> Request | None:
    """What a text asks in which the keys of its accents were left: by guess, so nothing that does anything."""
    keyless = spelt_out(without_keys(text))
    if " " not in keyless or keyless == command:
        return None
    return _nearly(keyless, words) or (Thank() if _thanks(keyless, words) else None)


def _thanks(command: str, words: Words) -> bool:
    """Whether squeezed words hold thanks, and nothing besides that waits for an answer.

    Who writes a number has something to ask; and behind "ok" may stand a command that is none as it is.
    """
    if not holds(command, written(words.thanks)) or re.search(r"\d", command):
        return False
    wish = without_ok(command)
    return not (asks(command, words) or (wish != command and beginnings(words).match(wish)))


def without_our_example(text: str) -> str:
    """A text without the code that replies of ours in it show as an example."""
    return _OUR_EXAMPLE.sub("", text) if EXAMPLE in text else text


def _commanded(text: str, command: str, words: Words) -> Request | None:
    """What a text without a code asks; None if it is no command. `command`: its words, squeezed."""
    bare = unpolite(command, words)[1]
    if words.rate and (score := stars(bare)):
        return Rate(Read((), Hint.NOTHING), score, bare=True)
    if words.rate and scored(bare):
        return Rate(Read((), Hint.NOTHING), None)
    if calls_somebody(command):
        return None
    number = choice(bare) or (0 if _says_to_stop(text) else choice(without_yes(bare, words)))
    if number and not is_sunday(command):
        return Choose(number, Help() if weekday(bare) else None)
    request = _named(text, command, words)
    if isinstance(request, Prefer) and _says(_NOWHERE, text):
        return Disagree(LookUp(Read((), Hint.NOTHING)))
    if _THAT_ONE.sub("", bare) in written(words.disagree):
        return Disagree(request or (Thank() if _thanks(command, words) else LookUp(Read((), Hint.NOTHING))))
    return request


def _named(text: str, command: str, words: Words) -> Request | None:
    """The same but for numbers, and for what is a no only where something was asked."""
    if (request := _exact(command, words)) is not None:
        unsure = isinstance(request, Receive) and ("?" in text or is_not_to_stop(text))
        return HowToReceive() if unsure else request
    if (request := _nearly(command, words) or _nearly(without_ok(command), words)) is not None:
        if isinstance(request, HowToReceive) and _says(_TEXT_AGAIN, text):
            return ListFollowed(question=True)
        return request
    if (request := _agreed(text, command, words)) is not None:
        return request
    if len(command) <= LONGEST_END and SO.sub("", unpolite(command, words)[1]) in WHAT_LACKS:
        return AskWhatLacks()
    return None


def _exact(command: str, words: Words) -> Request | None:
    """What a text asks that is one of these words and nothing else; T.C, in single letters, is TC."""
    if _SINGLE_LETTERS.fullmatch(command):
        command = command.replace(" ", "")
    exact: tuple[tuple[tuple[str, ...], Request], ...] = (
        (words.opt_out, Receive(PURPOSES, wanted=False)),
        (words.opt_out_notices, Receive(("notice",), wanted=False)),
        (words.opt_out_reminders, Receive(("reminder",), wanted=False)),
        (words.opt_in, Receive(PURPOSES, wanted=True)),
        (words.opt_in_notices, Receive(("notice",), wanted=True)),
        (words.opt_in_reminders, Receive(("reminder",), wanted=True)),
        (words.look_up, Help()),
        *_harmless(words),
    )
    return next((request for names, request in exact if command in written(names)), None)


def _harmless(words: Words) -> tuple[tuple[tuple[str, ...], Request], ...]:
    """What may be taken for asked although more is said: it changes nothing that can't be changed back by asking."""
    return (
        (words.help, Help()),
        (words.followed[:1], ListFollowed()),
        (words.followed[1:], ListFollowed(question=True)),
        (words.accents_on, Prefer(language="vi", accents=True)),
        (words.accents_off, Prefer(accents=False)),
        (words.vietnamese, Prefer(language="vi")),
        (words.english, Prefer(language="en")),
    )


def _nearly(command: str, words: Words) -> Request | None:
    """What a text asks that says one of these words politely. Who nearly opts out or in is only told how to."""
    begun, bare = unpolite(command, words)
    for names, request in _harmless(words):
        if not written(names).isdisjoint((begun, bare)):
            return request
    ordinary = tuple(f"{word} " for word in receiving(words).difference(words.look_up))
    first, _, more = begun.partition(" ")
    if (
        bare in receiving(words)
        or begun.startswith(ordinary)
        or (first in receiving(words) and says_nothing(more, words))
    ):
        return HowToReceive()
    if (told := _told_how(command, bare, words)) is not None:
        return told
    for names, request in _harmless(words):
        # So many words mean that wherever they stand; those that ask for the list are looked for last.
        if not isinstance(request, ListFollowed) and holds(command, (name for name in names if name.count(" ") >= 2)):
            return request
    # "cho hoi ho so cua toi xong chua": how it stands, of all that are the sender's
    if words.followed and (holds(command, (name for name in words.followed if " " in name)) or has_waited(command)):
        return ListFollowed(question=True)
    return None


def _told_how(command: str, bare: str, words: Words) -> Request | None:
    """What somebody asks who is bothered, follows no more or complains, but not in the words that do anything."""
    for does, near, request in (
        (words.speak, NOT_WITHDRAWN, Speak("", Read((), Hint.NOTHING))),
        (words.opt_out, (*words.bothered, *words.opt_out), HowToReceive()),
        (words.unfollow, no_more(words), Unfollow(Read((), Hint.NOTHING))),
        (words.speak and not _CONTENT.search(bare), (*words.upset, *words.speak), Speak("", Read((), Hint.NOTHING))),
    ):
        if does and (bare in near or holds(command, filter(is_plain, near))):
            return request
    return None


def _agreed(text: str, command: str, words: Words) -> Agree | HowToReceive | None:
    """A yes, or that an answer was understood: nothing but these words, in any number, or a sign such as a thumb up.

    One of them is "dung", which with one of its accents is to stop.
    """
    if not command:
        return Agree(Thank()) if any(sign in text for sign in _GLAD) or _GLAD_IN_SIGNS.search(text) else None
    for said in (command, *(_THAT_ONE.sub("", said) for said in unpolite(command, words))):
        if said in words.agree or all(word in words.agree for word in said.split()):
            if _says_to_stop(text):
                return HowToReceive()
            return Agree(Help() if said in _MAY_BE_TO_STOP else Thank())
    return None


def _says_to_stop(text: str) -> bool:
    return _says(_TO_STOP, text)


def _says(accented: re.Pattern[str], text: str) -> bool:
    """Whether a text has words that without their accents would be others."""
    return accented.search(unicodedata.normalize("NFC", text).lower()) is not None


def _with_more(text: str, words: Words) -> Request | None:
    """A command that more follows on; None if the text doesn't begin with one, or not in earnest."""
    plain = normalised(text)
    begun = beginnings(words).match(plain)
    if begun is None or any(unpolite(said(text), words)[1] in receiving(words) for said in (squeezed, without_keys)):
        return None
    rest = plain[begun.end() :]
    match begun.lastgroup:
        case "follow":
            return _following(text, rest, words)
        case "unfollow":
            return _unfollowing(text, begun, words)
        case "rate":
            return _rating(without_polite_end(rest, words), words)
    return None if named(text, begun[0]) is not Name.NO else spoken(text, rest, len(alphanumeric(begun[0])), words)


def _following(text: str, rest: str, words: Words) -> Follow | LookUp | Misspelt | None:
    own = up_to_the_opposite(rest, "follow", words)
    found = code_here(own, words) if without_keywords(own, words) else Read((), Hint.NOTHING)
    if not found or not found.readings:
        return Follow(found) if found else None
    if asks_how_far(text, words) or waits(text):
        return LookUp(found)
    return Misspelt("follow", found) if asks_what_it_is(text, words) else Follow(found)


def _unfollowing(text: str, begun: re.Match[str], words: Words) -> Unfollow | LookUp | Misspelt | None:
    name = named(text, begun[0])
    own = up_to_the_opposite(begun.string[begun.end() :], "unfollow", words)
    if name is Name.YES or (found := code_here(own, words)) is None:
        return None
    if is_not_to_stop(text):
        return Misspelt("follow", found)
    if not found.readings:
        return Unfollow(found)
    asks = asks_whether(text, words)
    # "Từ chối hồ sơ ... là sao": it is asked why the agency did.
    if asks_how_far(text, words) or (asks and squeezed(begun["unfollow"]) in words.opt_out):
        return LookUp(found)
    return Misspelt("unfollow", found) if asks or name is Name.MAY_BE else Unfollow(found)


def _rating(rest: str, words: Words) -> Rate | None:
    for score, code in scores(rest):
        about = code_here(code, words)
        if about is not None and (about.readings or not code):
            return Rate(about, score)
    about = code_here(rest, words)
    if about is not None or rest[:1].isdigit():
        return Rate(about or Read((), Hint.NOTHING), None)
    return None


def _behind(text: str, found: Read, words: Words) -> Request | None:
    """What is asked behind the codes that a text begins with; most texts have nothing there."""
    more = len(text.split(None, 2)) > 2
    spoken = spoken_behind(text, found, words) if more else None
    if spoken is None and (more or not text[-1].isdigit()):
        return _commanded_behind(text, found, words)
    return spoken


def _commanded_behind(text: str, found: Read, words: Words) -> Request | None:
    """A command behind the code that it is for, with nothing else in the text: "<code> DK", "<code> 5 sao"."""
    plain = normalised(text)
    ended = endings(words).search(plain, max(0, len(plain) - LONGEST_END))
    codes = plain[: ended.start()] if ended else ""
    if ended is None or WORD.search(without_keywords(codes, words)) or read(codes, words.look_up) != found:
        return None
    said = ended.groupdict()
    if score := said.get("stars") or said.get("score"):
        return Rate(found, int(score)) if len(found.readings) == 1 else None
    if said.get("follow"):
        return Follow(found)
    if is_not_to_stop(text):
        return Misspelt("follow", found)
    return Misspelt("unfollow", found) if may_be_no_wish(text) else Unfollow(found)
