"""Two dossiers that one code may be, as its date reads both ways: which of them is meant, and when we have to ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.test_conversations import LAN, code_dossiers
from tests.test_voices import MAI, follows
from tests.world import World, world

# The same digits with the year first and the day first.
LATER, OLDER = "H01.12-261123-0013", "H01.12-231126-0013"
OTHER = "H01.12-261123-0014"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        code_dossiers(made, LATER, OLDER, OTHER, "H01.12-231126-0014")
        yield made


def belongs(world: World, code: str, phone: str) -> None:
    engine = sa.create_engine(world.gateway.settings.onestop.database)
    with engine.begin() as connection:
        told = {"phone": f"0{phone.removeprefix('84')}", "code": code}
        connection.execute(sa.text("UPDATE dossier SET applicant_phone = :phone WHERE code = :code"), told)
    engine.dispose()


@pytest.mark.parametrize("text", [LATER, f"HS {LATER}", f"cho hỏi {LATER} tới đâu rồi ạ", LATER.lower()])
def test_a_code_as_it_is_printed_is_that_code_where_the_other_is_older(there: World, text: str) -> None:
    assert there.text(LAN, text).startswith(f"Ho so {LATER} ")


def test_a_list_of_codes_as_they_are_printed_is_answered_whole(there: World) -> None:
    for text in (f"{LATER}, {OTHER}", f"{LATER}, 0014"):
        assert [line.split(": ")[0] for line in there.text(LAN, text).splitlines()] == [LATER, OTHER]
        assert "chua ro" not in there.heard(LAN)[-1].text


@pytest.mark.parametrize("text", [OLDER, "h01.12/261123/13", "H01.12 261123 0013", "HO1.12-261123-0013"])
def test_a_code_in_another_form_or_with_the_older_date_is_asked_about(there: World, text: str) -> None:
    assert "1) H01.12-" in there.text(LAN, text)


@pytest.mark.parametrize("text", ["h01.12/261123/13", OLDER])
@pytest.mark.parametrize("code", [LATER, OLDER])
def test_the_only_one_that_the_phone_is_on_is_meant(there: World, text: str, code: str) -> None:
    belongs(there, code, LAN)
    assert there.text(LAN, text).startswith(f"Ho so {code} ")
    assert "1) H01.12-" in there.text(MAI, text)
    there.text(MAI, f"DK {LATER}")
    assert there.text(MAI, text).startswith(f"Ho so {LATER} ")


def test_whose_phone_is_on_both_is_asked(there: World) -> None:
    for code in (LATER, OLDER):
        belongs(there, code, LAN)
    assert "1) H01.12-" in there.text(LAN, OLDER)


@pytest.mark.parametrize("text", [OLDER, f"1) {OLDER}", f"{OLDER} ạ"])
def test_who_answers_a_question_by_writing_an_option_out_has_chosen_it(there: World, text: str) -> None:
    assert f"1) {OLDER}\n2) {LATER}" in there.text(LAN, OLDER)
    assert there.text(LAN, text).startswith(f"Ho so {OLDER} ")


def test_an_option_written_out_is_for_what_was_asked(there: World) -> None:
    there.text(LAN, "DK h01.12/231126/13")
    assert f"bao tin ve ho so {OLDER}" in there.text(LAN, f"1) {OLDER}")
    assert follows(there, LAN) == [OLDER]
    there.text(MAI, "DK h01.12/231126/13")
    assert there.text(MAI, f"{OLDER} xong chưa").startswith(f"Ho so {OLDER} ")
    assert follows(there, MAI) == []


def test_a_dossier_is_followed_and_let_go_of_by_its_code_as_it_is_printed(there: World) -> None:
    belongs(there, OLDER, MAI)
    there.text(LAN, "DK h01.12/231126/13")
    there.text(LAN, "1")
    assert follows(there, LAN) == [OLDER]
    assert there.text(LAN, f"HUY {LATER}").startswith(f"So dien thoai nay khong theo doi ho so {LATER}.")
    assert follows(there, LAN) == [OLDER]
    there.text(LAN, f"DK {LATER}")
    there.text(LAN, f"HUY {LATER}")
    assert follows(there, LAN) == [OLDER]
    there.text(LAN, f"HUY {OLDER}")
    assert follows(there, LAN) == []
    there.text(LAN, f"DK {LATER}")
    assert there.text(LAN, f"HUY {OLDER}").startswith(f"So dien thoai nay khong theo doi ho so {OLDER}.")
    there.text(LAN, "HUY h01.12/231126/13")
    assert follows(there, LAN) == []


def test_the_web_page_tells_the_same(there: World) -> None:
    for code, told in ((LATER, f"Hồ sơ {LATER} "), (OLDER, f'href="/tra-cuu/{LATER}"')):
        page = there.client.get("/tra-cuu", query_string={"ma": code}, follow_redirects=True).get_data(as_text=True)
        assert told in page
