"""A channel's tokens are renewed by one node for all, and nothing that came for one is used before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
import sqlalchemy as sa

from providers.contract import ChannelRefused, Keys, RenewalDoubtful, Renewed, Unreachable
from smsgw.dispatch.keys import LEASE, REST, KeyRing
from smsgw.store.database import Database
from tests.world import SetClock

LIFE = timedelta(hours=25)


class Carrier:
    """Where refresh tokens are good once. `before`: what happens when one has just been traded in."""

    def __init__(self) -> None:
        self.first_refresh_token = "refresh-0"
        self.good = 0
        self.renewals = 0
        self.before: Callable[[], None] = lambda: None

    def renew(self, refresh_token: str) -> Renewed:
        if refresh_token != f"refresh-{self.good}":
            raise ChannelRefused("that refresh token is spent: authorise the account again")
        self.good += 1
        self.renewals += 1
        answer = Renewed(f"access-{self.good}", f"refresh-{self.good}", LIFE)
        self.before()
        return answer

    def use(self, keys: Keys) -> None:
        """Nobody sends here."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def two(database: Database, carrier: Carrier, clock: SetClock) -> Iterator[tuple[KeyRing, KeyRing]]:
    """The rings of two nodes; the other one has connections of its own."""
    other = Database(database.url.render_as_string(hide_password=False))
    yield KeyRing(database, "zalo", carrier, clock), KeyRing(other, "zalo", carrier, clock)
    other.close()


Two = tuple[KeyRing, KeyRing]


def test_the_first_token_is_traded_in_once_and_both_nodes_have_what_came_for_it(two: Two, carrier: Carrier) -> None:
    here, there = two
    assert (here.access_token(), there.access_token(), here.access_token()) == ("access-1",) * 3
    assert carrier.renewals == 1


def test_two_nodes_at_once_renew_once(two: Two, carrier: Carrier, clock: SetClock) -> None:
    here, there = two
    renewing, go_on = Event(), Event()

    def slowly() -> None:
        renewing.set()
        go_on.wait(10)

    carrier.before = slowly
    with ThreadPoolExecutor(1) as pool:
        token = pool.submit(here.access_token)
        renewing.wait(10)
        assert there.access_token() is None
        there.keep_fresh()
        go_on.set()
        assert token.result(10) == "access-1"
    assert there.access_token() == "access-1"
    assert carrier.renewals == 1


def test_who_has_just_seen_a_token_that_another_node_renews_does_not_trade_it_in_again(
    two: Two, carrier: Carrier, clock: SetClock, database: Database
) -> None:
    here, there = two
    assert here.access_token() == there.access_token() == "access-1"
    clock.forward(hours=13)
    sa.event.listen(database._reader, "after_cursor_execute", lambda *_: there.keep_fresh(), once=True)
    here.keep_fresh()
    assert (carrier.renewals, here.trouble()) == (2, None)
    assert here.access_token() == "access-2"


def test_of_two_renewals_of_one_token_the_first_that_is_kept_counts(
    two: Two, carrier: Carrier, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = two

    def slowly() -> None:
        carrier.before = lambda: None
        carrier.good = 0  # the carrier bears with one that is traded in again soon
        clock.forward(seconds=LEASE.total_seconds() + 1)
        there.access_token()

    carrier.before = slowly
    here.access_token()
    assert "renewed twice" in caplog.text
    assert here.access_token() == there.access_token() == "access-1"


def test_a_token_is_renewed_when_half_of_its_life_is_over(two: Two, carrier: Carrier, clock: SetClock) -> None:
    here, there = two
    here.keep_fresh()
    clock.forward(hours=12)
    there.keep_fresh()
    assert carrier.renewals == 1
    clock.forward(hours=1)
    there.keep_fresh()
    here.keep_fresh()
    assert carrier.renewals == 2
    assert there.access_token() == "access-2"
    clock.forward(hours=13)
    assert here.access_token() == "access-2"


def test_killed_between_renewal_and_commit_there_is_half_a_life_to_go_on_with(
    two: Two, carrier: Carrier, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = two
    assert here.access_token() == "access-1"
    clock.forward(hours=13)

    class Killed(BaseException):
        pass

    def killed() -> None:
        raise Killed

    carrier.before = killed
    with pytest.raises(Killed):
        here.keep_fresh()
    carrier.before = lambda: None
    there.keep_fresh()  # the lease still runs
    assert there.trouble() is None
    clock.forward(seconds=LEASE.total_seconds() + 1)
    there.keep_fresh()
    assert "spent" in (there.trouble() or "")
    assert "its token is not renewed" in caplog.text
    assert there.access_token() == "access-1"
    clock.forward(hours=11)
    assert there.access_token() == "access-1"
    clock.forward(hours=2)
    with pytest.raises(ChannelRefused, match="authorise"):
        there.access_token()


def test_what_came_for_a_token_is_kept_when_the_database_is_back(
    two: Two, carrier: Carrier, clock: SetClock, database: Database
) -> None:
    def breaks(transaction: str, side: str) -> None:
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("the connection broke"))

    here, there = two
    here.access_token()
    clock.forward(hours=13)
    carrier.before = lambda: setattr(database, "boundary", breaks)
    for _ in range(2):
        with pytest.raises(sa.exc.OperationalError):
            here.keep_fresh()
    database.boundary, carrier.before = None, lambda: None
    clock.forward(minutes=10)
    there.keep_fresh()
    assert "spent" in (there.trouble() or "")
    here.keep_fresh()
    assert (here.access_token(), there.access_token(), carrier.renewals) == ("access-2", "access-2", 2)
    assert here.trouble() is None


def test_a_new_token_in_the_settings_begins_anew_and_an_old_one_does_no_harm(
    two: Two, database: Database, carrier: Carrier, clock: SetClock
) -> None:
    here, _ = two
    assert here.access_token() == "access-1"
    carrier.good = 7
    clock.forward(hours=26)
    with pytest.raises(ChannelRefused):
        here.access_token()
    again = Carrier()
    again.first_refresh_token, again.good = "refresh-7", 7
    mended = KeyRing(database, "zalo", again, clock)
    assert mended.access_token() == "access-8"
    clock.forward(seconds=REST.total_seconds() + 1)
    with pytest.raises(ChannelRefused):
        here.access_token()
    assert mended.access_token() == "access-8"
    assert mended.trouble() is None


def test_a_refused_renewal_is_not_tried_all_the_time(two: Two, carrier: Carrier, clock: SetClock) -> None:
    here, there = two
    carrier.good = 7
    for ring in (here, there, here):
        with pytest.raises(ChannelRefused, match="spent"):
            ring.access_token()
    carrier.good = 0
    with pytest.raises(ChannelRefused, match="spent"):
        here.access_token()
    clock.forward(seconds=REST.total_seconds() + 1)
    assert there.access_token() == "access-1"
    assert there.trouble() is None


@pytest.mark.parametrize("error", [Unreachable("no connection"), RenewalDoubtful("no answer")])
def test_a_renewal_without_an_answer_is_tried_again(
    two: Two, carrier: Carrier, clock: SetClock, error: Unreachable
) -> None:
    here, there = two

    def lost() -> None:
        carrier.good -= 1
        raise error

    carrier.before = lost
    with pytest.raises(Unreachable):
        here.access_token()
    carrier.before = lambda: None
    assert there.access_token() == "access-1"


def test_a_token_that_the_carrier_takes_no_more_is_renewed_at_once(two: Two, carrier: Carrier, clock: SetClock) -> None:
    here, there = two
    assert here.access_token() == there.access_token() == "access-1"
    clock.forward(hours=1)
    here.rejected("access-1")
    there.rejected("access-1")
    assert here.access_token() == there.access_token() == "access-2"
    assert carrier.renewals == 2


def test_a_token_refused_as_soon_as_it_was_given_holds_the_channel(two: Two, carrier: Carrier) -> None:
    here, _ = two
    assert here.access_token() == "access-1"
    with pytest.raises(ChannelRefused, match="only just given"):
        here.rejected("access-1")
    assert carrier.renewals == 1


def test_without_the_database_nothing_is_sent_and_nothing_breaks(
    carrier: Carrier, clock: SetClock, tmp_path: object
) -> None:
    empty = Database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(Unreachable, match="can't be read"):
        KeyRing(empty, "zalo", carrier, clock).access_token()
    empty.close()
