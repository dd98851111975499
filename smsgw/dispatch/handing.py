"""Handing messages to a carrier: what it answered, and what was said, for whoever looks into it later."""

from __future__ import annotations

from collections.abc import Sequence

from providers.contract import CallFailed, ChannelRefused, Outbound, Provider
from providers.exchanges import listening
from smsgw.dispatch.settling import Answer, NotTaken
from smsgw.store.exchanges import Exchange
from smsgw.store.outbox import Claimed
from smsgw.text.phones import mask_all


def handed_over(provider: Provider, messages: Sequence[Outbound]) -> tuple[Answer, list[Exchange]]:
    """Submit a batch: the answer to it, and the calls that were made, with secrets and numbers masked."""
    answer: Answer
    with listening() as heard:
        try:
            answer = provider.submit(messages)
        except CallFailed as failed:
            answer = NotTaken(str(failed), held=isinstance(failed, ChannelRefused))
    said = [Exchange(item.ref, item.seconds, mask_all(item.request), mask_all(item.answer)) for item in heard]
    return answer, said


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
