"""Who writes in English is answered in it, and a Vietnamese who uses a word of it is not."""

from __future__ import annotations

import pytest

from smsgw.answers.english import is_english
from smsgw.dossiers.dossier import Status
from smsgw.text.segments import measure
from tests.test_conversations import code_of
from tests.world import World

CODE = "H01.12-180806-0034"
ENGLISH = (
    ("where is my file?", "This phone has no dossier"),
    ("What is the status of my application?", "This phone has no dossier"),
    ("I lost the code", "This phone has no dossier"),
    ("where do I pick it up", "This phone has no dossier"),
    ("I don't understand Vietnamese", "Text HS and the code"),
    ("do you speak English?", "you will get messages in English"),
    ("can you write in English?", "you will get messages in English"),
    ("I want to complain", "To complain or ask"),
    ("wrong number", "text only TC"),
    ("stop sending me this", "text only TC"),
    ("Please stop sending messages", "text only TC"),
    ("An officer asked me for money", "To complain or ask"),
    ("What's the fee?", "Text HS and the code"),
    ("OK thank you, what time do you open?", "Text HS and the code"),
    ("someone call the police", "113 (police)"),
)


def test_who_writes_in_english_and_never_chose_a_language_is_answered_in_it(here: World) -> None:
    code = code_of(here, Status.IN_PROGRESS)
    for number, (text, said) in enumerate((*ENGLISH, (f"when will {code} be ready?", f"Dossier {code} "))):
        answer = here.text(f"849876543{number:02}", text)
        assert said in answer
        assert measure(answer).segments == 1
    assert "Ho so" in here.text("84987654300", code)  # nothing was chosen
    here.text("84987654300", "tieng viet")
    assert here.text("84987654300", "where is my file?").startswith("Ho so")


@pytest.mark.parametrize(
    "text",
    [
        "check giup e file ho so voi ad",
        "thank you nhieu nha",
        "lam passport va visa o dau",
        "help em check hs voi",
        "ok please cho minh biet ket qua",
        "hs cua me my hanh the nao, do la so do",
        "em it hieu, in giup to khai",
        f"HS {CODE}",
        "",
    ],
)
def test_a_vietnamese_who_uses_an_english_word_is_answered_in_vietnamese(text: str) -> None:
    assert not is_english(text)
