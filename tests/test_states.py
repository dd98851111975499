"""A message's state is a function of what was reported of it, whatever order it came in."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.dispatch.retry import BLIND_WAIT, RULES, UNDECIDED, decided, doubt_until, next_attempt
from smsgw.store.pending import Waiting
from smsgw.store.states import AS_RECEIPT, FINAL, IllegalMove, State, check_move, reported
from smsgw.store.tables import Lane
from tests.world import NOON

RECEIPTS = ("buffered", "delivered", "undelivered", "expired", "rejected")
OUTCOMES = {
    "accepted": State.SUBMITTED,
    "unknown": State.UNKNOWN,
    "throttled": State.QUEUED,
    "outcome rejected": State.REJECTED,
}
WEIGHT = {"buffered": 1, "accepted": 1, "expired": 2, "undelivered": 3, "rejected": 4, "delivered": 5}
EVENTS = st.lists(st.sampled_from((*RECEIPTS, *OUTCOMES)), max_size=5)


def lived(events: tuple[str, ...], *, overtaking: bool) -> State:
    """Where a message ends that is tried as long as it may be. `overtaking`: receipts come while a try is under way."""
    state, parked = State.QUEUED, []
    for event in events:
        if event in RECEIPTS and overtaking and state in (State.QUEUED, State.UNKNOWN):
            parked.append(event)  # it came during the try that ends with the next outcome
        elif event in RECEIPTS:
            state = reported(state, event) or state
        else:
            state = _tried(state, event)
            for receipt in parked:
                state = reported(state, receipt) or state
            parked = []
    for receipt in parked:
        state = reported(state, receipt) or state
    return state


def _tried(state: State, outcome: str) -> State:
    if state in (State.QUEUED, State.UNKNOWN):
        if state is State.UNKNOWN:
            check_move(state, State.QUEUED)
        check_move(State.QUEUED, State.SENDING)
        check_move(State.SENDING, OUTCOMES[outcome])
        return OUTCOMES[outcome]
    # The message is nobody's to send any more: this was a sender whose lease had run out.
    said = AS_RECEIPT.get(outcome.removeprefix("outcome "))
    return (reported(state, said) or state) if said else state


def heaviest(events: list[str]) -> State | None:
    """The state that the weightiest piece of evidence puts a message in; None if there is none."""
    said = {event.removeprefix("outcome ") for event in events} & WEIGHT.keys()
    if not said:
        return None
    top = max(said, key=lambda word: WEIGHT[word])
    return State.SUBMITTED if WEIGHT[top] == 1 else State(top)


@given(EVENTS, st.booleans())
def test_any_order_and_any_repetition_of_outcomes_and_receipts_ends_in_the_same_state(
    events: list[str], overtaking: bool
) -> None:
    orders = [(*order, *again) for order in permutations(events) for again in ((), order, order[::-1])]
    ends = {lived(order, overtaking=overtaking) for order in orders}
    if expected := heaviest(events):
        assert ends == {expected}
    else:
        assert ends <= {State.QUEUED, State.UNKNOWN}


@given(st.sampled_from(State), st.sampled_from(RECEIPTS))
def test_what_was_delivered_stays_delivered_and_a_late_delivery_outranks_all(before: State, receipt: str) -> None:
    assert reported(State.DELIVERED, receipt) is State.DELIVERED
    if before is not State.SENDING:
        assert reported(before, "delivered") is State.DELIVERED


@given(st.sampled_from(sorted(FINAL)), st.lists(st.sampled_from(RECEIPTS)))
def test_no_final_state_reverts(before: State, receipts: list[str]) -> None:
    state = before
    for receipt in receipts:
        state = reported(state, receipt) or state
        assert state in FINAL


@given(st.sampled_from(State), st.sampled_from(State))
def test_nothing_leaves_a_final_state_by_our_own_decision(before: State, after: State) -> None:
    if before in FINAL and after is not before:
        with pytest.raises(IllegalMove):
            check_move(before, after)


@given(st.sampled_from(Lane), st.integers(1, 1000), st.floats(0, 1), st.none() | st.floats(0, 3600))
def test_pauses_grow_to_the_lanes_limit_and_keep_to_what_the_carrier_asked(
    lane: Lane, attempts: int, chance: float, asked: float | None
) -> None:
    rule = RULES[lane]
    least = timedelta(seconds=asked or 0)
    waited = next_attempt(lane, attempts, chance, NOON, asked) - NOON
    assert max(least, rule.first_pause / 2) <= waited <= max(least, rule.longest_pause)
    assert next_attempt(lane, attempts + 1, chance, NOON) >= next_attempt(lane, attempts, chance, NOON)


def test_what_failed_together_is_not_tried_again_together() -> None:
    times = {next_attempt(Lane.REPLY, 3, chance / 100, NOON) for chance in range(101)}
    assert len(times) == 101


def waiting(lane: Lane, doubts: int, hours_left: float = 1) -> Waiting:
    return Waiting("m", "sms", lane, "84912345678", doubts, doubts, NOON, NOON, NOON + timedelta(hours=hours_left))


@given(st.sampled_from(Lane), st.integers(1, 50))
def test_a_carrier_that_honours_our_ref_is_asked_as_long_as_the_message_is_needed(lane: Lane, doubts: int) -> None:
    move = decided(waiting(lane, doubts), idempotent=True, now=NOON)
    assert (move.state, move.not_before) == (State.QUEUED, NOON)
    assert decided(waiting(lane, doubts, -1), idempotent=True, now=NOON).state is State.EXPIRED


def test_without_that_a_reply_is_sent_once_more_and_a_notice_waits_for_a_receipt_and_then_an_official() -> None:
    later = NOON + BLIND_WAIT
    assert decided(waiting(Lane.REPLY, 1), idempotent=False, now=later).state is State.QUEUED
    assert decided(waiting(Lane.REPLY, 2), idempotent=False, now=later).state is State.UNKNOWN
    assert decided(waiting(Lane.REPLY, 2, -1), idempotent=False, now=NOON).state is State.EXPIRED
    for lane in (Lane.REMINDER, Lane.NOTICE):
        assert decided(waiting(lane, 1), idempotent=False, now=later).state is State.UNKNOWN
        left = decided(waiting(lane, 1, -1), idempotent=False, now=NOON)
        assert (left.state, left.deadline) == (State.UNKNOWN, NOON + timedelta(days=30, hours=-1))
        over = decided(waiting(lane, 1, -24 * 31), idempotent=False, now=NOON)
        assert (over.state, over.code) == (State.EXPIRED, UNDECIDED)


def test_a_receipt_gets_time_to_tell_before_a_carrier_that_can_not_be_asked_is_sent_a_reply_again() -> None:
    assert doubt_until(Lane.REPLY, 1, 0.5, NOON, idempotent=False) - NOON >= BLIND_WAIT
    assert doubt_until(Lane.REPLY, 1, 0.5, NOON, idempotent=True) - NOON <= timedelta(seconds=1)
    # Also where its sender was killed, and its lease was a short one.
    left = decided(waiting(Lane.REPLY, 1), idempotent=False, now=NOON + BLIND_WAIT / 2)
    assert (left.state, left.deadline) == (State.UNKNOWN, NOON + BLIND_WAIT)
    assert decided(waiting(Lane.REPLY, 1), idempotent=True, now=NOON + BLIND_WAIT / 2).state is State.QUEUED
