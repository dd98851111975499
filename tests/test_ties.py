"""What is known of a phone is found without looking through what is known of everybody."""

from __future__ import annotations

from functools import partial

from smsgw.answers.asked import Rate, exactly
from smsgw.intake.ties import tie
from smsgw.store import opt_outs, ratings
from smsgw.store.database import Database
from smsgw.store.opt_outs import OptOut
from smsgw.store.ratings import Rating
from tests.plans import effort
from tests.world import NOON

CODE, LAN = "H01.31.10-261123-0001", "84912345678"


def test_what_a_phone_rated_is_not_looked_for_among_all_ratings(database: Database) -> None:
    asked = Rate(exactly(CODE).read, 5)
    costs = []
    for others in (10, 1000):
        with database.writing("test") as connection:
            rated = [Rating(CODE, f"8491{number:07}", 5, "H01.31", "UBND", NOON) for number in range(others)]
            ratings.add(connection, [*rated, Rating(CODE, LAN, 5, "H01.31", "UBND", NOON)])
        costs.append(effort(database, partial(tie, address=LAN, phone=LAN, request=asked, since=NOON)))
        with database.reading() as connection:
            assert tie(connection, LAN, LAN, asked, NOON).rated == {CODE}
            assert tie(connection, "84999999999", "84999999999", asked, NOON).rated == set()
    assert costs[1] < 2 * costs[0]


def test_who_opts_in_again_is_not_looked_for_among_all_who_have_opted_out(database: Database) -> None:
    costs = []
    for others in (10, 1000):
        with database.writing("test") as connection:
            phones = [LAN, *(f"8491{number:07}" for number in range(others))]
            opt_outs.add(connection, [OptOut(phone, "notice", NOON, "sms") for phone in phones])
        costs.append(effort(database, partial(opt_outs.remove, wishes=[(LAN, "notice"), ("84900000000", "reminder")])))
    assert costs[1] < 2 * costs[0]
