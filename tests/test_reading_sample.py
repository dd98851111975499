"""Mistyped codes against 20,000 dossiers as dense as real ones: nobody else's is ever answered, nearly all at once."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date

import pytest

from smsgw.dossiers import sample
from smsgw.dossiers.reading import read
from tests import mistakes

DOSSIERS = 20_000
ANSWERED_AT_ONCE = 0.995


@pytest.mark.long
def test_of_twenty_thousand_mistyped_codes_none_gets_another_dossier_and_nearly_all_their_own() -> None:
    codes = {row.code for row in sample.dossiers(DOSSIERS, 2018, date(2018, 8, 15))}
    chance = random.Random(2018)
    outcomes: Counter[str] = Counter()
    wrong = []
    for code in sorted(codes):
        made = chance.sample(mistakes.EVERY, chance.randint(1, 3))
        text = mistakes.mistyped(code, made, chance.randrange(2**32))
        readings = read(text).readings
        existing = [candidate for reading in readings[:1] for candidate in reading.candidates if candidate in codes]
        if existing == [code] and len(readings) == 1:
            outcomes["answered"] += 1
        elif code in existing or not existing:
            outcomes["asked"] += 1
        else:
            wrong.append((code, text, existing))
    assert not wrong
    assert outcomes["answered"] / DOSSIERS >= ANSWERED_AT_ONCE, outcomes
