"""Why a channel, a run, a filter or a message is as it is: English as it is stored, in the words of officials."""

from __future__ import annotations

import re

from smsgw.text.languages import Language
from smsgw.web.console.texts import say

# How the rooms below write it, and the text that says it.
_REASONS = (
    (re.compile(r"(?P<verb>paused|released) by (?P<who>[^:]+): (?P<said>.*)"), "{verb}"),
    (re.compile(r"(?s)(?P<count>\d+) calls in a row failed, the last one: (?P<why>.*)"), "in_a_row"),
    (re.compile(r"(?s)(?P<share>\d+) % of the latest calls failed, the last one: (?P<why>.*)"), "share"),
    (re.compile(r"(?s)a probe failed: (?P<why>.*)"), "probe_failed"),
    (re.compile(r"a probe went well"), "probed"),
    (re.compile(r"a worker was started"), "started"),
    (re.compile(r"was due too long ago"), "too_old"),
    (re.compile(r"no dossier bears a phone just now; .*"), "nobodys"),
    (re.compile(r"is due and nobody does it"), "nobody"),
    (re.compile(r"does not come to its end"), "endless"),
    (re.compile(r"(?:not asked again yet: )?the one-stop database .*"), "onestop"),
    # What is wrong with a term of a filter.
    (re.compile(r"no such field; there are (?P<fields>.*)"), "no_field"),
    (re.compile(r"expected a (?:value,|term) such as (?P<example>.*?)(?:, due<2018-09-01 or overdue)?"), "no_value"),
    (re.compile(r"takes no value; .*"), "takes_none"),
    (re.compile(r"means every dossier, .*"), "alone"),
    (re.compile(r"no day is left between this bound and the other one"), "no_day_left"),
    (re.compile(r"only = is possible here, with one value or several: (?P<example>.*)"), "only_equals"),
    (re.compile(r"is there already; .*"), "twice"),
    (re.compile(r"no dossier is of such a day|no such day in the calendar"), "no_day"),
    (re.compile(r"expected a day such as .*"), "day"),
    (re.compile(r"expected codes separated by commas, without blanks"), "codes"),
    (re.compile(r"expected (?:the national codes|levels) (?P<first>\d+)(?: to|, 3 or) (?P<last>\d+), .*"), "numbers"),
    # Why a call failed: who can do what about it, then what happened. The carrier's own words stay in quotes.
    (re.compile(r"(?s)(?P<why>.+): check the contract"), "contract"),
    (re.compile(r"(?s)(?P<why>.+): check the channel's (?:url|settings), or ask the carrier"), "check_or_ask"),
    (re.compile(r"(?s)(?:https?://\S+: )?(?P<why>.+): check (?:url|the|api_key|user)\b[\w,' -]*"), "check"),
    (re.compile(r"(?s)(?P<why>.+): (?:see docs/\S+|is bearerbox running\?|authorise the account again)"), "check"),
    (re.compile(r"(?s)(?P<why>.+): ask the carrier"), "ask"),
    (re.compile(r"https?://\S+ answers (?P<code>\d+)"), "answered"),
    (re.compile(r"the carrier answered (?P<code>\w+)(?: \(no reason given\))?"), "answered"),
    (re.compile(r"(?:eSMS|SpeedSMS|VNPT|sendsms) answers (?P<code>\w+)"), "answered"),
    (re.compile(r"Zalo (?:answered|answers) (?P<code>-?\d+)(?:, (?!which ).*)?"), "answered"),
    (re.compile(r"the SMSC answers (?:a|the) bind with (?P<code>\S+)"), "answered"),
    (re.compile(r"(?s)the carrier answered (?P<code>\S+) \((?P<said>.*)\)"), "answered_saying"),
    (re.compile(r"(?s)(?:the carrier|Zalo) answered ['\"]?(?P<code>.+?)['\"]?, which is not .*"), "answered_strangely"),
    (
        re.compile(r"the (?:connection|line) broke(?:: .*)?|the line was closed|the SMSC took leave|the SMSC hung up"),
        "broke",
    ),
    (re.compile(r"no answer within the time limit(?:, part .*)?|the line's thread gave no answer"), "silent"),
    (re.compile(r"the SMSC (?:does not answer .*|.+ fast enough, so this was not sent)"), "silent"),
    (re.compile(r"(?:Zalo|Kannel)'s answer (?:to the renewal of the token )?can't be read"), "unreadable"),
    (re.compile(r"the carrier's answer (?:can't be read|has more than|does not name).*"), "unreadable"),
    (re.compile(r"the name of the carrier's host is not known|no host can have that name"), "no_host"),
    (re.compile(r"no TLS (?:connection|with .*)|the carrier's certificate is not valid"), "no_tls"),
    (re.compile(r"no connection(?: within the time limit| to .*)?"), "no_connection"),
    (re.compile(r"the line is being bound"), "binding"),
    (re.compile(r"this carrier takes no messages"), "takes_nothing"),
    (re.compile(r"(?s)no token: (?P<why>.*)"), "no_token"),
    (re.compile(r"no answer to the renewal of the token \((?P<why>.*)\)"), "no_token"),
    (re.compile(r"Zalo does not renew the token \(error (?P<code>.*)\)"), "token_refused"),
    (re.compile(r"the carrier does not take a token that it has only just given"), "new_token_refused"),
    (
        re.compile(r"the channel's tokens can't be read: .*|there is nowhere to keep the account's tokens"),
        "tokens_away",
    ),
    (re.compile(r"Viettel does not know us|Kannel does not take our username and password"), "not_let_in"),
    (re.compile(r"what answers \d+ there is not Kannel's sendsms"), "somebody_else"),
    (re.compile(r"it takes only registered texts, and there are none"), "no_templates"),
    (re.compile(r"(?s)Vonage took (?P<taken>\d+) of (?P<parts>\d+) parts: (?P<why>.*)"), "partly"),
    (re.compile(r"the provider failed: .*|a fault of ours: .*"), "our_fault"),
    # Why a reminder or a notice was withdrawn.
    (re.compile(r"there is no such rule any more|the rule was switched off"), "rule_off"),
    (re.compile(r"it is about another day"), "other_day"),
    (re.compile(r"the dossier is not in the one-stop database any more"), "dossier_gone"),
    (re.compile(r"the dossier has another phone now"), "other_phone"),
    (re.compile(r"the dossier is in state \d+ or has other dates"), "moved_on"),
    (re.compile(r"the person does not follow the dossier any more"), "unfollowed"),
    (re.compile(r"the person wants no (?P<purpose>reminders|notices) any more"), "no_{purpose}"),
)


def reason(language: Language, text: str | None) -> str:
    """Why a channel, a run, a filter or a message is as it is. What came from elsewhere stays as it came."""
    for pattern, key in _REASONS:
        if found := pattern.fullmatch(text or ""):
            values = found.groupdict()
            if why := values.get("why"):
                values["why"] = reason(language, why)
            return say(language, "reasons." + key.format(**values), **values)
    return text or ""
