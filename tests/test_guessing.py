"""Codes follow each other, so whoever guesses them is slowed and then refused; nobody else notices."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.store.tables import inbound, outbound
from tests.test_conversations import LAN, code_of, owner_of
from tests.world import World


def test_who_guesses_codes_is_slowed_and_then_refused_while_the_owner_is_not(here: World) -> None:
    def ask(number: int) -> None:
        here.carrier.text(LAN, f"H01.21-180801-{9000 + number}")
        here.carrier.run_due()

    for number in range(25):
        ask(number)
    with here.gateway.database.reading() as connection:
        rows = connection.execute(
            sa.select(inbound.c.kind, outbound.c.not_before, outbound.c.created_at)
            .join(outbound, outbound.c.in_reply_to == inbound.c.id)
            .order_by(inbound.c.id)
        ).all()
    delays = [(row.not_before - row.created_at).total_seconds() for row in rows]
    assert [row.kind for row in rows] == ["not_found"] * 20 + ["refused"] * 5
    assert delays[:5] == [0] * 5
    assert sorted(delays[5:]) == delays[5:]
    assert delays[5] > 0
    code, owner = code_of(here, Status.IN_PROGRESS), owner_of(here, Status.IN_PROGRESS)
    assert code in here.text(owner, code)


def test_who_guesses_by_codes_in_pieces_waits_as_one_who_guesses(here: World) -> None:
    for number in range(21):
        here.text(LAN, f"H01.29.01-0815-{number:04}")
        here.clock.forward(minutes=1)
    assert "nhieu ma khong co" in here.text(LAN, "H01.29.01-0815-0099")


@pytest.mark.parametrize(
    "form", ["{known}, {guess}, {other}", "DK {known}, {guess}, {other}", "PA {guess} {other} lau"]
)
def test_a_guess_beside_a_code_that_is_known_is_a_guess_and_so_is_one_in_a_command(here: World, form: str) -> None:
    known = code_of(here, Status.IN_PROGRESS)
    for number in range(10):
        here.text(
            LAN,
            form.format(known=known, guess=f"H01.21-180801-{9000 + number}", other=f"H01.21-180801-{9100 + number}"),
        )
    here.clock.forward(minutes=2)
    assert "H01.21-180801-9999" not in here.text(LAN, "H01.21-180801-9999")
    with here.gateway.database.reading() as connection:
        assert connection.scalar(sa.select(inbound.c.kind).order_by(inbound.c.id.desc()).limit(1)) == "refused"


def test_who_has_guessed_too_often_hears_of_the_own_dossier_alone(here: World) -> None:
    code, owner = code_of(here, Status.IN_PROGRESS), owner_of(here, Status.IN_PROGRESS)
    for number in range(20):
        here.carrier.text(owner, f"H01.21-180801-{9000 + number}")
        here.carrier.run_due()
    other = next(example.code for example in here.examples if example.code != code)
    here.clock.forward(minutes=2)
    here.settle()
    reply = here.text(owner, f"{code}, {other}")
    assert code in reply
    assert other not in reply
