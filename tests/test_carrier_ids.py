"""A carrier's id for a message is one, however it writes it: that is how a receipt finds its message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.carrier_ids import Form, canonical


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
