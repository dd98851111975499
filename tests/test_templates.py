"""Registered texts: the one that a message was written by is found, with what its parameters hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from providers.templates import Filled, Templates

STATUS = "Ho so {ma} dang duoc {don vi} giai quyet."
words = st.text(st.characters(codec="utf-8", exclude_characters="{}"), min_size=1)


@given(words, words)
def test_a_filled_text_is_always_found(code: str, agency: str) -> None:
    text = STATUS.replace("{ma}", code).replace("{don vi}", agency)
    found = Templates({"1": STATUS}).filled(text)
    assert found is not None
    assert found.names == ("ma", "don vi")
    values = dict(zip(found.names, found.values, strict=True))
    assert STATUS.replace("{ma}", values["ma"]).replace("{don vi}", values["don vi"]) == text


@given(words)
def test_only_the_parameters_of_a_text_may_differ(text: str) -> None:
    assert Templates({"1": "Chao!" + STATUS}).filled(text) is None


def test_the_template_with_the_most_fixed_words_goes_first() -> None:
    templates = Templates({"any": "{moi thu}", "status": STATUS})
    found = templates.filled("Ho so H01.12-180802-0012 dang duoc UBND xa giai quyet.")
    assert found == Filled("status", ("ma", "don vi"), ("H01.12-180802-0012", "UBND xa"))
    assert templates.filled("Chao") == Filled("any", ("moi thu",), ("Chao",))


def test_an_empty_parameter_is_by_no_template() -> None:
    assert Templates({"1": STATUS}).filled("Ho so  dang duoc UBND giai quyet.") is None


def test_where_none_is_registered_any_text_may_go() -> None:
    assert Templates({}).allow("Chao")
    assert not Templates({"1": STATUS}).allow("Chao")
