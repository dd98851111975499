"""What the codes mean that a carrier answers a submission with; each carrier has its table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from providers.contract import Accepted, CallFailed, ChannelRefused, Outcome, Rejected, Throttled, Unknown


class Meaning(Enum):
    """What a code says of the message that was sent."""

    TAKEN = "the carrier has it"
    REJECTED = "it will never take it"
    ELSEWHERE = "it will never take it for this person; another carrier may"
    LATER = "it does not have it and may take it later"
    REFUSED = "it takes nothing from us until our settings or the contract are mended"
    DOUBTFUL = "it may have it"


def outcome(
    codes: Mapping[str, Meaning],
    code: object,
    detail: object = "",
    carrier_id: object = None,
) -> Outcome:
    """The outcome that a code stands for. What the table does not have is in doubt. Raises ChannelRefused."""
    name, said = str(code), str(detail or "")
    match codes.get(name):
        case Meaning.TAKEN:
            return Accepted(str(carrier_id) if carrier_id else None)
        case Meaning.REJECTED:
            return Rejected(name, said)
        case Meaning.ELSEWHERE:
            return Rejected(name, said, elsewhere=True)
        case Meaning.LATER:
            return Throttled(None, f"{name}: {said}")
        case Meaning.REFUSED:
            raise ChannelRefused(f"the carrier answered {name} ({said or 'no reason given'})")
        case Meaning.DOUBTFUL:
            return Unknown(f"{name}: {said}")
    return Unknown(f"the carrier answered {name!r}, which is not among the codes that it documents")


def of_batch(results: Sequence[Outcome | CallFailed]) -> list[Outcome]:
    """The outcomes of messages that were sent each by itself. Raises CallFailed if all of them came to nothing."""
    failed = [result for result in results if isinstance(result, CallFailed)]
    if failed and len(failed) == len(results):
        raise next((each for each in failed if isinstance(each, ChannelRefused)), failed[0])
    # Where others of the batch were taken, the call as a whole did not fail; this one is tried again.
    return [Throttled(None, str(item)) if isinstance(item, CallFailed) else item for item in results]
