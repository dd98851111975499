"""A message's state is a function of what was reported of it, whatever order it came in."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.dispatch.retry import LONGEST_PAUSE, pause, resend_in_doubt
from smsgw.store.states import FINAL, IllegalMove, State, check_move, reported
from smsgw.store.tables import Lane

RECEIPTS = ("buffered", "delivered", "undelivered", "expired", "rejected")
SETTLED = (State.SUBMITTED, State.UNKNOWN, State.QUEUED, State.REJECTED)


def after(outcome: State, receipts: tuple[str, ...], overtaking: int) -> State:
    """Where a message ends whose first so many receipts overtook the carrier's answer."""
    parked = [receipt for receipt in receipts[:overtaking] if reported(State.SENDING, receipt) is None]
    state = outcome
    for receipt in (*parked, *receipts[overtaking:]):
        state = reported(state, receipt) or state
    return state


@given(st.sampled_from(SETTLED), st.lists(st.sampled_from(RECEIPTS), max_size=4), st.integers(0, 4))
def test_any_order_and_any_repetition_ends_in_the_same_state(
    outcome: State, receipts: list[str], overtaking: int
) -> None:
    ends = {after(outcome, order, overtaking) for order in permutations(receipts)}
    ends |= {after(outcome, (*order, *order), overtaking) for order in permutations(receipts)}
    assert len(ends) == 1


@given(st.sampled_from(State), st.sampled_from(RECEIPTS))
def test_what_was_delivered_stays_delivered_and_a_late_delivery_outranks_all(before: State, receipt: str) -> None:
    assert reported(State.DELIVERED, receipt) is State.DELIVERED
    if before is not State.SENDING:
        assert reported(before, "delivered") is State.DELIVERED


@given(st.sampled_from(sorted(FINAL)), st.sampled_from(RECEIPTS))
def test_no_final_state_reverts(before: State, receipt: str) -> None:
    assert reported(before, receipt) in FINAL


@given(st.sampled_from(State), st.sampled_from(State))
def test_nothing_leaves_a_final_state_by_our_own_decision(before: State, after: State) -> None:
    if before in FINAL and after is not before:
        with pytest.raises(IllegalMove):
            check_move(before, after)


@given(st.integers(1, 1000), st.floats(0, 1), st.none() | st.floats(0, 3600))
def test_pauses_grow_to_a_limit_and_keep_to_what_the_carrier_asked(
    attempts: int, chance: float, asked: float | None
) -> None:
    waited = pause(attempts, chance, asked).total_seconds()
    assert (asked or 0) <= waited + 1e-6  # a timedelta has microseconds
    assert waited <= max(LONGEST_PAUSE, asked or 0) + 1e-6
    assert pause(attempts + 1, chance).total_seconds() >= pause(attempts, chance).total_seconds()


def test_a_doubtful_message_is_resent_where_that_does_no_harm_and_a_reply_once_where_it_may() -> None:
    assert resend_in_doubt(Lane.NOTICE, idempotent=True, doubts=50)
    assert resend_in_doubt(Lane.REPLY, idempotent=False, doubts=1)
    assert not resend_in_doubt(Lane.REPLY, idempotent=False, doubts=2)
    assert not resend_in_doubt(Lane.NOTICE, idempotent=False, doubts=1)
