"""A carrier's id for a message is one, however it writes it: that is how a receipt finds its message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.carrier_ids import Form, canonical
from smsgw.store import parts
from smsgw.store.database import Database
from smsgw.store.states import State
from tests.test_outbox import report, state
from tests.test_parts_out import of_part, sent_in


@given(st.integers(0, 2**64), st.integers(0, 20), st.booleans())
def test_a_number_is_one_in_hexadecimal_and_decimal_with_leading_zeros_and_in_any_case(
    number: int, zeros: int, upper: bool
) -> None:
    written = "0" * zeros + f"{number:X}" if upper else "0" * zeros + f"{number:x}"
    assert canonical(written, "hexadecimal") == canonical("0" * zeros + str(number), "decimal") == str(number)


@pytest.mark.parametrize(
    ("written", "form", "spelt"),
    [
        ("00aB-1", "exact", "00aB-1"),
        (" aB-1 ", "caseless", "ab-1"),
        ("001", "caseless", "001"),
        ("not a number", "decimal", "not a number"),
        ("12_3", "decimal", "12_3"),
        ("+12", "decimal", "+12"),
        ("\u0661\u0662", "decimal", "\u0661\u0662"),
        ("12g", "hexadecimal", "12g"),
        ("", "hexadecimal", ""),
    ],
)
def test_what_is_not_of_the_form_stays_as_it_is(written: str, form: Form, spelt: str) -> None:
    assert canonical(written, form) == spelt


@pytest.mark.parametrize("earlier", ["delivered", "undelivered", "buffered"])
def test_where_ids_of_parts_begin_anew_what_was_told_of_the_message_before_says_nothing(
    database: Database, earlier: str
) -> None:
    old = sent_in(database, "a", "b")
    report(database, of_part("a", earlier), of_part("b"))
    before = state(database, old)
    new = sent_in(database, "a", "c")
    report(database, of_part("c"))
    assert state(database, new) is State.SUBMITTED
    report(database, of_part("a"))
    assert (state(database, new), state(database, old)) == (State.DELIVERED, before)


def test_receipts_of_the_same_parts_stay_when_these_are_named_again(database: Database) -> None:
    id = sent_in(database, "a", "b")
    report(database, of_part("a"))
    with database.writing("test") as connection:
        parts.name(connection, "sms", {id: ("a", "b")})
        parts.name(connection, "other", {"another message": ("a", "b")})
    report(database, of_part("b"))
    assert state(database, id) is State.DELIVERED
