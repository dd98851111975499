"""What an agency did not write down leaves no hole in an answer: no double blank, no empty bracket, no lone sign."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.answers.answering import Answers
from smsgw.answers.asked import exactly
from smsgw.answers.asker import Asker
from smsgw.answers.wording import Wording
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.source import COLUMNS, dossier_of
from smsgw.text.segments import measure
from tests.world import NOON

CODE, OWNER = "000.17.22.H01-180802-0012", "84912345678"
ANSWERS = Answers(Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022")
HOLE = re.compile(r"  | [.,:;)]|\(\)|[\[\]{}]|:\.|[,.]\.|None|\s$")

blank = st.sampled_from((None, "", "  "))
times = st.none() | st.sampled_from([NOON + timedelta(days=days) for days in (-9, -3, 3, 9)])
written: dict[str, st.SearchStrategy[Any]] = {
    **{name: times for name in COLUMNS if name.endswith(("_at", "_since"))},
    "code": st.just(CODE),
    "agency_code": st.just("H01.22"),
    "agency_name": blank | st.just("UBND xã Vĩnh Hội Đông, huyện An Phú  "),
    "applicant_phone": st.just("0912345678"),
    "status": st.sampled_from(list(map(int, Status))),
    "step_name": blank | st.just("Lãnh đạo phòng xem xét"),
    "delay_reason": blank | st.sampled_from((".", "Chờ ý kiến\nhuyện. ")),
    "supplement_note": blank | st.sampled_from((" . ", "Sổ hộ khẩu.\r\nBản chính ")),
    "fee_due": st.sampled_from((None, 0, 50_000)),
    "delivery": blank | st.sampled_from(("counter", "post", "online")),
    "post_tracking": blank | st.just("EK123456789VN"),
    "updated_at": st.just(NOON),
}


@settings(max_examples=500)
@given(st.fixed_dictionaries(written), st.sampled_from((OWNER, "84987654321")), st.sampled_from(("vi", "en")))
def test_what_is_not_written_down_leaves_no_hole(values: dict[str, Any], phone: str, language: Any) -> None:
    dossier = dossier_of([values.get(name) for name in COLUMNS])
    assert dossier is not None
    for accents in (False, True):
        asker = Asker(phone, language=language, accents=accents)
        text = ANSWERS.reply(exactly(CODE), asker, {CODE: dossier}, NOON).text
        assert not HOLE.search(text), text
        assert accents or measure(text).segments <= 2
