"""What the statuses mean that an SMSC answers with (specification 3.4 issue 1.2, 5.1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from smpplib import consts

from providers.codes import Meaning

_PREFIX = "SMPP_"
NAMES: Mapping[int, str] = {
    value: name.removeprefix(_PREFIX)
    for name, value in vars(consts).items()
    if name.startswith(f"{_PREFIX}ESME_R") and isinstance(value, int)
}
NUMBERS = {name: number for number, name in NAMES.items()}

CODES: Mapping[str, Meaning] = {
    "ESME_ROK": Meaning.TAKEN,
    # It says that it did not take the message, and for a reason that passes.
    "ESME_RTHROTTLED": Meaning.LATER,
    "ESME_RMSGQFUL": Meaning.LATER,
    "ESME_RSYSERR": Meaning.LATER,
    "ESME_RX_T_APPN": Meaning.LATER,
    "ESME_RINVBNDSTS": Meaning.LATER,
    # Said to a bind, and for any reason: as a rule, that a line of ours which broke counts as bound there still.
    "ESME_RBINDFAIL": Meaning.LATER,
    # Who we are there, or how we are to send there: it is so for every message.
    "ESME_RINVPASWD": Meaning.REFUSED,
    "ESME_RINVSYSID": Meaning.REFUSED,
    "ESME_RINVSYSTYP": Meaning.REFUSED,
    "ESME_RINVSERTYP": Meaning.REFUSED,
    "ESME_RINVSRCADR": Meaning.REFUSED,
    "ESME_RINVSRCTON": Meaning.REFUSED,
    "ESME_RINVSRCNPI": Meaning.REFUSED,
    "ESME_RINVDSTTON": Meaning.REFUSED,
    "ESME_RINVDSTNPI": Meaning.REFUSED,
    "ESME_RINVREGDLVFLG": Meaning.REFUSED,
    "ESME_RINVMSGLEN": Meaning.REJECTED,
    "ESME_RINVCMDLEN": Meaning.REJECTED,
    "ESME_RINVCMDID": Meaning.REJECTED,
    "ESME_RINVPRTFLG": Meaning.REJECTED,
    "ESME_RINVDSTADR": Meaning.REJECTED,
    "ESME_RINVESMCLASS": Meaning.REJECTED,
    "ESME_RSUBMITFAIL": Meaning.REJECTED,
    "ESME_RINVSCHED": Meaning.REJECTED,
    "ESME_RINVEXPIRY": Meaning.REJECTED,
    "ESME_RX_P_APPN": Meaning.REJECTED,
    "ESME_RX_R_APPN": Meaning.REJECTED,
    "ESME_RINVOPTPARSTREAM": Meaning.REJECTED,
    "ESME_ROPTPARNOTALLWD": Meaning.REJECTED,
    "ESME_RINVPARLEN": Meaning.REJECTED,
    "ESME_RMISSINGOPTPARAM": Meaning.REJECTED,
    "ESME_RINVOPTPARAMVAL": Meaning.REJECTED,
    "ESME_RDELIVERYFAILURE": Meaning.REJECTED,
    "ESME_RUNKNOWNERR": Meaning.DOUBTFUL,
}


def name_of(status: int) -> str:
    """A status as people know it; an SMSC's own ones as their number."""
    return NAMES.get(status, f"0x{status:04X}")
