"""Calling carriers: what one answered that was handed messages, and what was said; or what keeps it from taking any."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from providers.contract import Accepted, CallFailed, ChannelRefused, Outbound, Outcome, Provider, Rejected, Unknown
from providers.exchanges import listening
from smsgw.dispatch.settling import Answer, NotTaken
from smsgw.store.exchanges import Exchange
from smsgw.store.outbox import Claimed
from smsgw.text.alphabet import legible
from smsgw.text.phones import mask_all

LONGEST_WORDS = 500  # characters

log = logging.getLogger("smsgw.dispatch")


def handed_over(provider: Provider, messages: Sequence[Outbound]) -> tuple[Answer, list[Exchange]]:
    """Submit a batch: the answer to it, and the calls that were made, with secrets masked.

    After anything that the contract does not foresee, the carrier may have all of it.
    """
    answer: Answer
    with listening() as heard:
        try:
            answer = [*map(_readable, provider.submit(messages))]
            if len(answer) != len(messages):
                raise ValueError(f"{len(answer)} outcomes for {len(messages)} messages")
        except CallFailed as failed:
            answer = NotTaken(readable(str(failed)), held=isinstance(failed, ChannelRefused))
        except Exception as error:
            log.exception("a provider failed in a way that its contract does not have")
            answer = [Unknown(f"the provider failed: {type(error).__name__}")] * len(messages)
    return answer, [Exchange(item.ref, item.seconds, item.request, item.answer) for item in heard]


def fault(provider: Provider) -> str | None:
    """What keeps messages from being sent, as the provider finds; or that it does not even find that.

    Raises the database's error, where a provider's keys are kept.
    """
    try:
        said = provider.fault()
        return None if said is None else readable(said)
    except sa.exc.SQLAlchemyError:
        raise
    except Exception as error:
        log.exception("a provider failed in a way that its contract does not have")
        return f"the provider failed: {type(error).__name__}"


def readable(words: str) -> str:
    """What a carrier says why, as the database can keep it and people may read it: not long, and without a phone."""
    return mask_all(legible(words[: 2 * LONGEST_WORDS]))[:LONGEST_WORDS]


def _readable(outcome: Outcome) -> Outcome:
    match outcome:
        case Accepted():
            return outcome
        case Rejected(code, detail):
            return replace(outcome, code=readable(code), detail=readable(detail))
        case _:
            return replace(outcome, detail=readable(outcome.detail))


def outgoing(message: Claimed, chat: str | None = None) -> Outbound:
    """A message as its carrier gets it. `chat`: where its recipient has lately written to us, see the contract."""
    return Outbound(
        ref=message.id,
        sender=message.sender,
        recipient=message.recipient,
        text=message.text,
        encoding=message.encoding,
        segments=message.segments,
        expires_at=message.expires_at,
        chat=chat,
    )
