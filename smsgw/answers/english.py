"""Whether a text is English, for who has not said which language to write to them in."""

from __future__ import annotations

import re

# What no Vietnamese syllable looks like without its accents: so not "do", "my", "the", "it", "not"; and not what many
# write among Vietnamese words: "thank you", "please", "check", "stop".
_WORDS = (
    "WHERE WHEN WHAT WHICH WHO HOW WHY IS ARE WAS WILL HAVE DOES DON'T DONT CAN'T CANT COULD WOULD THIS THAT OF FOR AND"
    " WITH FROM VERY MUCH SENDING YOUR READY DONE LOST NEED WANT KNOW UNDERSTAND SPEAK ENGLISH VIETNAMESE RECEIPT"
    " APPLICATION DOSSIER DOCUMENT DOCUMENTS PAPER PAPERS FILE CODE STATUS RESULT COMPLAIN COMPLAINT WRONG NUMBER"
    " COLLECT PICK FEE MONEY OFFICER POLICE FIRE ASKED TEXTING MESSAGES MISSING PERMIT TIME OPEN TELL ANYONE SOMEONE"
)
_ENGLISH = frozenset(_WORDS.split())
_WORD = re.compile(r"\w+(?:'T\b)?")
_LEAST = 2  # different ones


def is_english(text: str) -> bool:
    """Whether a text without accents has more English words than one, which is no chance."""
    if " " not in text or not text.isascii():
        return False
    return len(_ENGLISH.intersection(_WORD.findall(text.upper()))) >= _LEAST
