"""Registered texts: the one that a message was written by is found, with what its parameters hold."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Outbound
from providers.templates import Filled, Registered, Templates
from smsgw.answers.registering import registered
from smsgw.answers.template import Template
from smsgw.text.accents import plain
from smsgw.text.languages import LANGUAGES

STATUS = "Ho so {ma} dang duoc {don vi} giai quyet."
words = st.text(st.characters(codec="utf-8", exclude_characters="{}"), min_size=1)

WORDED = registered(
    "vi.in_progress",
    {"template": "1024", "parameters": ["code", "agency"]},
    "Hồ sơ {code} đang được {agency} giải quyết.[ Hiện ở bước: {step}[, từ {since}].]",
)
FULL = "Hồ sơ H01.12-180802-0012 đang được UBND xã giải quyết. Hiện ở bước: Xem xét, từ 03/08/2018."
SHORT = "Ho so H01.12-180802-0012 dang duoc UBND xa giai quyet."
MESSAGE = Outbound("r-1", "8188", "84912345678", FULL, "ucs2", 2, datetime(2018, 8, 15, tzinfo=UTC))


@given(words, words)
def test_a_filled_text_is_always_found(code: str, agency: str) -> None:
    text = STATUS.replace("{ma}", code).replace("{don vi}", agency)
    found = Templates({"1": STATUS}).filled_plain(text)
    assert found is not None
    assert (found.names, found.text) == (("ma", "don vi"), text)
    values = dict(zip(found.names, found.values, strict=True))
    assert STATUS.replace("{ma}", values["ma"]).replace("{don vi}", values["don vi"]) == text


@given(words)
def test_only_the_parameters_of_a_text_may_differ(text: str) -> None:
    assert not Templates({"1": "Chao!" + STATUS}).know(text)


def test_the_template_with_the_most_fixed_words_goes_first() -> None:
    templates = Templates({"any": "{moi thu}", "status": STATUS})
    assert templates.filled(SHORT) == Filled("status", ("ma", "don vi"), ("H01.12-180802-0012", "UBND xa"), SHORT)
    assert templates.filled("Chao") == Filled("any", ("moi thu",), ("Chao",), "Chao")


def test_an_empty_parameter_is_by_no_template() -> None:
    assert not Templates({"1": STATUS}).know("Ho so  dang duoc UBND giai quyet.")


def by_wording(*texts: Registered) -> Templates:
    templates = Templates({})
    templates.register(texts)
    return templates


def test_of_a_text_of_the_wording_goes_out_what_is_registered_without_accents() -> None:
    templates = by_wording(WORDED)
    found = Filled("1024", ("code", "agency"), ("H01.12-180802-0012", "UBND xa"), SHORT)
    assert templates.filled_plain(FULL) == templates.filled_plain(plain(FULL)) == templates.filled_plain(SHORT) == found
    sent = MESSAGE._replace(text=SHORT, encoding="gsm7", segments=1)
    assert templates.as_registered(MESSAGE) == sent


def test_in_a_chat_its_parameters_keep_their_accents_and_have_the_carrier_s_names() -> None:
    named = replace(WORDED, parameters=(("noi_xu_ly", "agency"), ("ma_ho_so", "code")))
    found = by_wording(named).filled(FULL)
    assert found is not None
    assert (found.names, found.values) == (("noi_xu_ly", "ma_ho_so"), ("UBND xã", "H01.12-180802-0012"))


def test_a_text_by_no_template_is_not_sent_and_where_there_are_none_any_is() -> None:
    other = MESSAGE._replace(text="Chao")
    assert by_wording(WORDED).as_registered(other) is None
    assert Templates({}).as_registered(other) is other


DOCUMENT = tomllib.loads((files("smsgw.answers") / "wording.toml").read_text(encoding="utf-8"))
SHIPPED = {
    f"{language}.{key}": registered("", {"template": f"{language}.{key}", "parameters": {}}, text)
    for language in LANGUAGES
    for key, text in DOCUMENT[language].items()
    if key != "short"
}
VALUES = {name: f"<{name}>" for text in SHIPPED.values() for name in Template(text.text).names}


@pytest.mark.parametrize("key", SHIPPED)
def test_every_version_of_a_text_that_may_be_sent_is_by_its_template(key: str) -> None:
    """Whatever is left out: parts whose values are missing, and others to fit into an SMS."""
    source = SHIPPED[key]
    optional = sorted({*Template(source.text).names} - {*source.always})
    templates = by_wording(replace(source, parameters=tuple((name, name) for name in source.always)))
    for missing in [[], optional, *([name] for name in optional)]:
        for text in Template(source.text).versions({**VALUES, **dict.fromkeys(missing)}):
            for spelt in (text, plain(text)):
                found = templates.filled(spelt)
                assert found is not None, spelt
                assert found.values == tuple(f"<{name}>" for name in source.always)
                assert templates.filled_plain(spelt) is not None


def test_no_two_texts_of_the_shipped_wording_are_taken_for_each_other() -> None:
    templates = by_wording(*SHIPPED.values())
    mistaken = [
        (key, found)
        for key, source in SHIPPED.items()
        for text in Template(source.text).versions(VALUES)
        if (found := templates.filled(text)) is None or SHIPPED[found.id].bare != source.bare
    ]
    assert mistaken == []
