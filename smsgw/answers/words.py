"""The words of the commands, as the settings may change them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import lru_cache

from smsgw.dossiers.reading import DEFAULT_KEYWORDS, normalised

LONGEST_COMMAND = 4  # words
# Before a code or a command the one, else the other; a yes alone, and thanks among more.
_SHARED = ({"look_up", "opt_out"}, {"thanks", "polite"}, {"agree", "polite"}, {"agree", "thanks"})

# The number of an option: "1", "so mot", "ma 2", "cai thu hai", "cai dau tien".
_CHOICE = re.compile("(?:(?:SO|MA|HS|HO SO|CAI|CHON|CAU|MUC|THU|NUMBER|OPTION) )*([1-9]|MOT|NHAT|DAU TIEN|HAI|BA)")
_NUMBERS = {"MOT": 1, "NHAT": 1, "DAU TIEN": 1, "HAI": 2, "BA": 3}
_STAR = re.compile(r"(?<=[1-5])\s*[*⭐★🌟]+")
_STAR_SIGN = re.compile("[⭐★🌟]")
_ONLY_STARS = re.compile(r"\s*(?:[⭐★🌟]\s*){1,5}")
_STARS = re.compile("(?:CHAM )?([1-5]|MOT|HAI|BA|BON|NAM|ONE|TWO|THREE|FOUR|FIVE) ?(?:SAO|DIEM|STARS?)")
_SCORE_AT_END = re.compile(r" [1-5] ?(?:SAO|DIEM|STARS?)$")
_STARS_SPELT = {"MOT": 1, "HAI": 2, "BA": 3, "BON": 4, "NAM": 5, "ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
# As those write who are in a hurry, and what it is short for.
_SHORT = {
    "K": "KHONG",
    "KO": "KHONG",
    "KG": "KHONG",
    "KHG": "KHONG",
    "DC": "DUOC",
    "HS": "HO SO",
    "KQ": "KET QUA",
    "R": "ROI",
    "E": "EM",
    "M": "MINH",
    "BIT": "BIET",
    "MUN": "MUON",
    "CHX": "CHUA",
    "XOG": "XONG",
    "BH": "BAO GIO",
    "CH": "CHUA",
    "BIK": "BIET",
    "KTRA": "KIEM TRA",
    "CHECK": "KIEM TRA",
    # What may be left out: "bao gio thi xong", "khi nao moi lay duoc".
    "THI": "",
    "MOI": "",
    # And in the south:
    "TUI": "TOI",
    "ZAY": "VAY",
    "Z": "VAY",
    "HONG": "KHONG",
    "HOK": "KHONG",
    "HEM": "KHONG",
    # And in the middle:
    "RUA": "VAY",
}
_TELEX = re.compile(r"(?<=[AEIOUY])[SFRXJW]+|(?<=[CGHMNPT])[SFRXJ](?![A-Z0-9])")  # no syllable has these here
_TWICE = re.compile(r"([AEOD])\1")
_VNI = re.compile(r"(?<=[A-Z])\d+")
_VIQR = re.compile(r"(?<=[A-Z])[\^`'?~.+(]+")
_YES = ("CO", "DA", "VANG", "U", "UH", "UHM", "UM", "YES", "DUNG", "PHAI", "ROI", "DUOC", "UK", "UKI", "UKM")
_OK = ("OK", "OKE", "OKI", "OKIE", "OKAY", "OKELA")
_I_SEE = (
    "RO",
    "HIEU",
    "DONG Y",
    "CHINH XAC",
    "BIET ROI",
    "NHAN DUOC ROI",
    "DA NHAN DUOC",
    "DA NHAN DUOC ROI",
    "NHAN KET QUA ROI",
    *("DA NHAN", "NHAN ROI", "DA LAY", "LAY ROI", "LAY KET QUA ROI"),
    *("DA NHAN KET QUA", "DA LAY KET QUA"),
)
_TO_FOLLOW = (
    "DANG KY THEO DOI",
    "DANG KI THEO DOI",
    "DK THEO DOI",
    "DANG KY NHAN TIN",
    "DANG KI NHAN TIN",
    "DK NHAN TIN",
    "FOLLOW",
)
_TO_END = (
    "BO THEO DOI",
    "NGUNG THEO DOI",
    "HUY THEO DOI",
    "HUY DANG KY",
    "HUY DANG KI",
    "HUY DK",
    "HUY BO",
    "UNFOLLOW",
)
_OUT = ("TC", "TU CHOI", "TU CHOI NHAN TIN", "NGUNG NHAN TIN", "DUNG NHAN TIN", "HUY NHAN TIN", "STOP", "UNSUBSCRIBE")
_OUT_TOO = ("TC TAT CA", "NGUNG TIN", "HUY TIN NHAN", "KHONG NHAN TIN", "KHONG MUON NHAN TIN", "DUNG NHAN NUA")
_OUT_AS_WELL = ("NGUNG GUI TIN", "DUNG GUI TIN", "DUNG GUI NUA", "KHONG NHAN NUA")
_TO_LEARN = ("HDSD", "CACH TRA CUU", "HUONG DAN TRA CUU", "SAO DE TRA CUU", "TRA CUU THE NAO")
_MINE = ("HO SO CUA TOI", "HO SO CUA EM", "HO SO CUA MINH", "HO SO CUA CON", "HO SO CUA CHAU", "MY DOSSIERS")
_WHEN = ("BAO GIO", "KHI NAO", "CHUNG NAO", "HOI NAO", "BUA NAO", "HOM NAO", "NGAY NAO", "NGAY MAY", "KHI MO")
HOW_FAR = (
    *(f"{when} {what}" for when in _WHEN for what in ("CO", "XONG", "TRA")),
    *("BAO LAU NUA", "BAO LAU CO", "BAO LAU XONG", "MAY NGAY NUA", "MAY NGAY XONG"),
    "CO KET QUA CHUA",
    "XONG CHUA",
    "XONG KHONG",
    "DEN DAU",
    "TOI DAU",
    "SAO ROI",
    "THE NAO ROI",
    "CO CHUA",
    "RA CHUA",
    "DUYET CHUA",
    "DEN MO ROI",
    "TOI MO ROI",
    "TINH TRANG HO SO",
    "TINH HINH HO SO",
    "TRANG THAI HO SO",
    "KET QUA HO SO",
    "KET QUA DAU",
)
_TO_LOOK = ("KIEM TRA HO SO", "TRA CUU HO SO", "XEM HO SO", "COI HO SO", "HOI HO SO", "HOI VE HO SO", "HOI KET QUA")
_HOW_MANY = ("TAT CA HO SO", "BAO NHIEU HO SO", "HO SO NAO KHONG")
_NOT_YET = (
    *("KHONG THAY GI", "KHONG THAY BAO", "KHONG AI BAO", "KHONG AI NOI GI"),
    *("CHUA XONG", "CHUA CO KET QUA", "CHUA THAY GI", "CHUA NHAN DUOC", "CHUA NHAN KET QUA", "SAO CHUA"),
    *("CO GIAY CHUA", "CO SO CHUA", "CO GI MOI", "CO GI CHUA", "CO TIN GI CHUA"),
)
# The answer says where, and by when.
_WHERE_AND_WHEN = (
    "KET QUA O DAU",
    "LAY O DAU",
    "NHAN O DAU",
    "LAY O CHO NAO",
    "NHAN O CHO NAO",
    "DEN DAU LAY",
    *(f"{when} {what}" for when in _WHEN for what in ("LAY", "NHAN", "LANH", "LEN LAY", "DEN LAY", "DI LAY")),
    "LAY DUOC CHUA",
    "LAY DUOC KHONG",
    "HEN NGAY NAO",
    "HEN LAI NGAY NAO",
    *("LEN LAY", "DEN LAY", "QUA LAY", "LAY HO", "MANG THEO GI", "DEM THEO GI", "CAN MANG GI"),
)
# Whoever must bring or pay something is told in the answer what, and where; who has done so, whether it is known.
_STILL_LACKS = (
    *("BO SUNG ROI", "NOP ROI", "NOP PHI ROI", "NOP TIEN ROI", "DONG PHI ROI", "DONG TIEN ROI"),
    *("BO SUNG GI", "BO SUNG GIAY", "BO SUNG O DAU", "THIEU GI", "THIEU GIAY", "NOP THEM GI", "CAN GI NUA"),
    *("PHI BAO NHIEU", "NOP BAO NHIEU", "DONG BAO NHIEU", "NOP PHI O DAU", "NOP TIEN O DAU", "DONG TIEN O DAU"),
)
# Nothing tells who waits more than how it stands; if it is late, the answer asks for pardon and has the new date.
_LATE = ("CHAM QUA", "CHAM VAY", "CHAM THE", "LAU QUA", "LAU VAY", "LAU THE", "LAU DU", "LAU VAI", "TRE HEN", "TRE QUA")
_AGAIN = (
    "HEN HOAI",
    "HEN MAI",
    "LAU LAC",
    "HEN LEN HEN XUONG",
    "CHO HOAI",
    "CHO LAU",
    "DOI HOAI",
    "DOI LAU",
    "LAN ROI",
)
_PAST = ("CHAM TRE", "BI TRE", "TRE ROI", "QUA HEN", "QUA NGAY HEN", "TOI NGAY HEN", "DEN NGAY HEN")
# Whoever has no code asks for a list.
_LOST = (
    *("QUEN MA", "MAT MA", "KHONG NHO MA", "KHONG BIET MA", "KHONG CO MA", "KHONG RO MA", "KHONG THAY MA"),
    *("GIAY HEN", "PHIEU HEN", "BIEN NHAN", "MAT GIAY ROI", "MAT TO GIAY", "KHONG DOC DUOC"),
    *("MA HO SO O", "MA SO O DAU", "MA O DAU", "NHAP MA NAO", "MA SO BAO NHIEU"),
    *("XIN MA HO SO", "XIN LAI MA", "LAI MA HO SO", "TIM MA HO SO"),
)
_WRONGED = (
    *("TO CAO", "BUC XUC", "VO TRACH NHIEM", "HOI LO", "LOT TAY", "HACH SACH", "HACH DICH", "NHUNG NHIEU", "GAY KHO"),
    *(
        "KHONG HAI LONG",
        "CHUA HAI LONG",
        "LUA DAO",
        "THAI DO",
        "Y KIEN",
        "KHONG AI TRA LOI",
        "KHONG AI NGHE",
        "KHONG NGHE MAY",
    ),
    *("LANH DAO", "GAP CAN BO", "GAP NGUOI", "NOI CHUYEN VOI", "GOI LAI CHO TOI", "GOI LAI CHO EM"),
    *("HANH DAN", "QUAN LIEU", "TAC TRACH", "THAT VONG", "THAM NHUNG", "VOI TIEN", "DOI TIEN", "DI LAI NHIEU LAN"),
    *("KHONG GIAI QUYET", "KHONG AI GIAI QUYET", "KHONG BAT MAY", "KHONG AI BAT MAY", "RA TOA", "GAP NHAN VIEN"),
    *("LAM AN KIEU", "LAM AN NHU", "TE QUA", "QUA TE", "DM", "DMM", "VCL"),
    *("RAT TE", "TE", "TOI TE", "KEM", "QUA KEM", "KEM QUA", "DO AN HAI", "AN CUOP"),
    *("SE KIEN", "KIEN LEN", "DUA LEN BAO", "DUA LEN MANG", "DANG LEN MANG"),
    *("COMPLAIN", "TO COMPLAIN", "COMPLAINT", "A COMPLAINT", "FEEDBACK"),
)
_NOT_ME = (
    *("NHAM SO", "NHAM MAY", "NHAN NHAM", "SAI SO ROI", "WRONG NUMBER"),
    *("KHONG NOP HO SO", "KHONG LAM HO SO", "NGUNG", "BLOCK", "SPAM", "SPAM NUA"),
    *("LAM PHIEN", "PHIEN QUA", "NHAC NUA", "TAT TIN NHAN", "TAT THONG BAO", "XOA SO", "XOA THONG TIN"),
    *("KHONG CAN NHAN", "NHAN LAI TIN", "NHAN LAI THONG BAO", "NHAN TIN LAI", "BAT TIN NHAN", "BAT THONG BAO"),
    *(
        "DUNG NHAN",
        "KHOI NHAN",
        "KHONG MUON NHAN",
        "HUY DICH VU",
        "HUY DV",
        "HUY TB",
        "HUY KM",
        "HUY QC",
        "TC QC",
        "TC KM",
        "TAT",
        "OFF",
        "UNSUB",
        "STOPALL",
        "QUIT",
        "CANCEL",
        "TIN RAC",
    ),
    *("NHAM NGUOI", "SAI NGUOI", "KHONG PHAI HO SO", "KHONG PHAI CUA TOI", "KHONG PHAI TOI", "KHONG CO NOP"),
    *("SIM MOI", "MUA SIM", "SO NAY TOI MOI", "SO NAY EM MOI", "CUA NGUOI KHAC"),
    *("TC TC", "TC ALL", "TC GUI", "HUY TC", "HUY TIN", "CHUA TUNG DANG KY", "PHIEN", "REMOVE ME"),
    *("XOA DU LIEU", "XOA HET", "NOT MY NUMBER", "NOT MY DOSSIER", "DID NOT APPLY", "FORGET ME", "DELETE MY DATA"),
)
_MINE_IN_ENGLISH = (
    *("MY FILE", "MY DOSSIER", "MY APPLICATION", "MY DOCUMENT", "MY DOCUMENTS", "MY PAPERS", "MY RESULT", "MY RECEIPT"),
    *("MY CODE", "LOST THE RECEIPT", "LOST THE CODE", "HAVE A CODE", "HAVE THE CODE", "IS IT READY", "IS IT DONE"),
    *("PICK UP", "PICK IT UP", "COLLECT IT", "BE READY", "IS THE FEE", "STATUS"),
)
_IN_ENGLISH = ("DO YOU SPEAK ENGLISH", "CAN YOU SPEAK ENGLISH", "WRITE IN ENGLISH", "REPLY IN ENGLISH")
_HARD_TO_READ = ("NHAN CO DAU", "VIET CO DAU", "GUI CO DAU", "KHONG DAU KHO DOC", "KHONG DAU DOC", "KHO DOC QUA")
_THANKS = ("CAM ON", "CM ON", "THANKS", "THANK", "THANK YOU", "TKS", "THKS")
_PRAISE = ("RAT HAI LONG", "TUYET VOI", "RAT TOT", "TOT LAM", "TOT QUA")
# Around a command: "Da chao anh chi, cho em xin dang ky ... voi a".
_BEFORE = ("CHO", "TOI", "EM", "CON", "CHAU", "MINH", "ANH", "CHI", "XIN", "CHAO", "ALO", "DA", "MUON", "DUOC", "NHO")
_CALLING = ("GIUM", "DUM", "TUI", "OI", "E", "MUN", "AD", "BAN", "BAC", "CHU", "CO OI")
_BEHIND = ("A", "AH", "NHE", "NHA", "NHEN", "NGHEN", "NGHE", "VOI", "DI", "PLEASE", "PLS")


@dataclass(frozen=True, slots=True, eq=False)  # a key of caches, for which nobody has to hash all words at each text
class Words:
    """The commands, each with its words; upper and lower case, accents and signs don't matter.

    `upset`, `bothered`: who says these among others, or a single word alone, is told how to complain, or to opt out.
    `polite`: what may stand around a command and is none, as in "cho toi dang ky ... a".
    Raises ValueError for words that are too long, empty, or stand for two commands.
    """

    look_up: tuple[str, ...] = DEFAULT_KEYWORDS
    thanks: tuple[str, ...] = (*_THANKS, *_PRAISE, "OK")
    agree: tuple[str, ...] = (*_YES, *_OK, *_I_SEE)
    help: tuple[str, ...] = ("HELP", "HD", "HUONG DAN", "TRO GIUP", "GIUP", *_TO_LEARN)
    accents_on: tuple[str, ...] = ("CO DAU", "TIN CO DAU", "DAU", *_HARD_TO_READ)
    accents_off: tuple[str, ...] = ("KHONG DAU", "TIN KHONG DAU", "KO DAU")
    vietnamese: tuple[str, ...] = ("TIENG VIET", "VIET", "VI", "VIETNAMESE")
    english: tuple[str, ...] = ("ENGLISH", "EN", "TIENG ANH", "IN ENGLISH", "SPEAK ENGLISH", *_IN_ENGLISH)
    link: tuple[str, ...] = ("LK", "LIEN KET", "LINK")
    unlink: tuple[str, ...] = ("HUY LK", "HUY LIEN KET", "UNLINK")
    follow: tuple[str, ...] = ("DK", "DANG KY", "DANG KI", "THEO DOI", *_TO_FOLLOW)
    unfollow: tuple[str, ...] = ("HUY", *_TO_END)
    followed: tuple[str, ...] = (
        "DS",
        "DANH SACH",
        "DANH SACH HO SO",
        "DS HO SO",
        "DS HS",
        "LIST",
        "KQ",
        *_MINE,
        *_HOW_MANY,
        *HOW_FAR,
        *_TO_LOOK,
        *_NOT_YET,
        *_WHERE_AND_WHEN,
        *_STILL_LACKS,
        *_LATE,
        *_AGAIN,
        *_PAST,
        *_LOST,
        *_MINE_IN_ENGLISH,
    )
    opt_out: tuple[str, ...] = (*_OUT, *_OUT_TOO, *_OUT_AS_WELL)
    opt_out_notices: tuple[str, ...] = ("TC TB", "TC THONG BAO", "TU CHOI THONG BAO")
    opt_out_reminders: tuple[str, ...] = ("TC NHAC", "TC NHAC HEN", "TC TIN NHAC", "TU CHOI TIN NHAC")
    opt_in: tuple[str, ...] = ("DKY", "START")
    opt_in_notices: tuple[str, ...] = ("DKY TB", "DKY THONG BAO")
    opt_in_reminders: tuple[str, ...] = ("DKY NHAC", "DKY NHAC HEN", "DKY TIN NHAC")
    speak: tuple[str, ...] = ("PA", "PHAN ANH", "PHAN ANH KIEN NGHI", "PAKN", "KIEN NGHI", "GOP Y", "KHIEU NAI")
    rate: tuple[str, ...] = ("DG", "DANH GIA", "CHAM DIEM", "RATE")
    upset: tuple[str, ...] = _WRONGED
    bothered: tuple[str, ...] = _NOT_ME
    polite: tuple[str, ...] = (
        *_BEFORE,
        *_CALLING,
        *_BEHIND,
        "XEM",
        "VE",
        "THUA",
        "VUI LONG",
        "LAM ON",
        "DE NGHI",
        "CAM ON",
    )

    def __post_init__(self) -> None:
        if not self.look_up:
            raise ValueError("look_up: needs at least one word, which citizens are told of")
        seen: dict[str, str] = {}
        for field in fields(self):
            words = tuple(squeezed(word) for word in getattr(self, field.name))
            object.__setattr__(self, field.name, words)
            for word in words:
                if not 1 <= len(word.split()) <= LONGEST_COMMAND:
                    raise ValueError(f"{field.name}: {word!r} must have one to {LONGEST_COMMAND} words")
                if choice(word):
                    raise ValueError(f"{field.name}: {word!r} is the number of an option that a question offers")
                other = seen.setdefault(word, field.name)
                if other != field.name and {other, field.name} not in _SHARED:
                    raise ValueError(f"{field.name}: {word!r} stands for {other} already")


def squeezed(text: str) -> str:
    """Upper case without accents and signs, words apart by one blank; stars behind a score, or alone, as their word."""
    plain = normalised(text)
    if _ONLY_STARS.fullmatch(plain):
        return f"{len(plain) - len(_STAR_SIGN.sub('', plain))} SAO"
    return " ".join(re.findall(r"[A-Z0-9]+", _STAR.sub(" SAO", plain)))


@lru_cache(maxsize=64)
def written(names: tuple[str, ...]) -> frozenset[str]:
    """These words, and as those write them who leave out blanks: CODAU."""
    return frozenset((*names, *(name.replace(" ", "") for name in names)))


def spelt_out(command: str) -> str:
    """Squeezed words with what they are short for: "co kq chua" is CO KET QUA CHUA."""
    return " ".join(filter(None, (_SHORT.get(word, word) for word in command.split())))


def without_keys(text: str) -> str:
    """A text's squeezed words without the keys that were to make accents, where the phone made none.

    HOOF SOW, HO26 SO7 and HO^` SO+ are all HO SO: by Telex, VNI and VIQR.
    """
    command = _VNI.sub("", squeezed(_VIQR.sub("", normalised(text))))
    return _TWICE.sub(r"\1", _TELEX.sub("", command))


def keyed(syllable: str) -> str:
    """A pattern for a syllable, also with the keys by which Telex gives it accents: DDAWNG, HURY, ANHS."""
    letters = (
        f"{letter}{letter}?[SFRXJW]*" if letter in "AEO" else f"{letter}[SFRXJW]*" if letter in "IUY" else letter
        for letter in syllable
    )
    return "".join(letters).replace("D", "DD?") + "[SFRXJ]*"


def stars(command: str) -> int | None:
    """The score that squeezed words give, if that is all they do: "5 sao", "nam sao"."""
    given = _STARS.fullmatch(command)
    return _STARS_SPELT.get(given[1]) or int(given[1]) if given else None


def scored(command: str) -> bool:
    """Whether squeezed words end with a score, as "phuc vu tot 5 sao"."""
    return _SCORE_AT_END.search(command) is not None


def choice(command: str) -> int | None:
    """The number of the option that squeezed words choose, if that is all they do."""
    chosen = _CHOICE.fullmatch(command)
    return _NUMBERS.get(chosen[1]) or int(chosen[1]) if chosen else None


def weekday(command: str) -> bool:
    """Whether squeezed words that choose an option may as well be a day: "thu hai" is Monday."""
    return command.startswith("THU ")


def behind(text: str, letters: int) -> str:
    """A text as it was written, without its first letters and digits and the signs behind these."""
    composed = unicodedata.normalize("NFC", text)
    seen = at = 0
    while seen < letters:
        seen += len(alphanumeric(normalised(composed[at])))
        at += 1
    return composed[at:].lstrip(" \t\r\n:;,.-–").rstrip()


def alphanumeric(text: str) -> str:
    """The letters and digits of a normalised text."""
    return re.sub(r"[^A-Z0-9]", "", text)
