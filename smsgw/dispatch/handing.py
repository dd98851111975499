"""Calling carriers: what one answered that was handed messages, and what was said; or what keeps it from taking any."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from providers.contract import CallFailed, ChannelRefused, Outbound, Provider, Unknown
from providers.exchanges import listening
from smsgw.dispatch.settling import Answer, NotTaken
from smsgw.store.exchanges import Exchange
from smsgw.store.outbox import Claimed

log = logging.getLogger("smsgw.dispatch")


def handed_over(provider: Provider, messages: Sequence[Outbound]) -> tuple[Answer, list[Exchange]]:
    """Submit a batch: the answer to it, and the calls that were made, with secrets masked.

    After anything that the contract does not foresee, the carrier may have all of it.
    """
    answer: Answer
    with listening() as heard:
        try:
            answer = provider.submit(messages)
            if len(answer) != len(messages):
                raise ValueError(f"{len(answer)} outcomes for {len(messages)} messages")
        except CallFailed as failed:
            answer = NotTaken(str(failed), held=isinstance(failed, ChannelRefused))
        except Exception as error:
            log.exception("a provider failed in a way that its contract does not have")
            answer = [Unknown(f"the provider failed: {type(error).__name__}")] * len(messages)
    return answer, [Exchange(item.ref, item.seconds, item.request, item.answer) for item in heard]


def fault(provider: Provider) -> str | None:
    """What keeps messages from being sent, as the provider finds; or that it does not even find that.

    Raises the database's error, where a provider's keys are kept.
    """
    try:
        return provider.fault()
    except sa.exc.SQLAlchemyError:
        raise
    except Exception as error:
        log.exception("a provider failed in a way that its contract does not have")
        return f"the provider failed: {type(error).__name__}"


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
