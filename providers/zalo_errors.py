"""What Zalo's errors mean, by what follows from them ("Mã lỗi" of the Official Account API and of ZNS, 2026).

Both interfaces have lists of their own; where the same number stands in both, what follows is the same here. Errors of
what the gateway never asks for (making templates, uploads, groups, forms) are left out.
"""

from __future__ import annotations

Errors = dict[int, str]

TOKEN: Errors = {-216: "token invalid", -220: "token expired", -124: "token invalid"}
# Nothing can be sent by the account, in no way.
HELD: Errors = {
    -204: "the account is disabled",
    -205: "there is no such account",
    -209: "the app is not activated",
    -212: "the app has not asked for this interface",
    -219: "the app is removed or disabled",
    -221: "the account is not verified",
    -223: "the account has not authorised the app for this",
    -224: "the account's package does not include this",
    -235: "not for this kind of account",
    -240: "this version of the interface is shut",
    -242: "appsecret_proof is asked for, or wrong",
    -101: "no such app",
    -102: "no such app",
    -103: "the app is not activated",
    -104: "the app's secret key is wrong",
    -105: "the app is not linked to an account",
    -125: "no such account",
    -1241: "appsecret_proof is asked for, or wrong",
}
LATER: Errors = {-32: "too many calls"}
# Zalo surely does not deliver it, and perhaps another channel can.
ELSEWHERE: Errors = {
    # In the chat.
    -200: "Zalo failed to send",
    -210: "a parameter is too long",
    -211: "quota used up",
    -213: "does not follow the account",
    -217: "the person has blocked the account",
    -218: "this person gets no more of us now",
    -227: "not active for 45 days",
    -230: "no word from the person for 7 days",
    -232: "no conversation yet",
    -233: "not allowed for this kind of message",
    -234: "not at night",
    -244: "the person wants no such messages",
    -248: "against Zalo's rules",
    -249: "the template can't be sent by the person's id",
    -320: "the app is not connected with a Zalo Cloud account",
    -321: "no money left in the Zalo Cloud account",
    # By ZNS.
    -106: "no such method",
    -109: "no such template",
    -110: "the person's Zalo is too old",
    -111: "no parameters",
    -112: "the template's parameters do not fit",
    -1121: "a parameter is too long",
    -1122: "a parameter is missing",
    -1123: "no QR code could be made",
    -1124: "a parameter has a wrong form",
    -113: "a button is wrong",
    -1131: "a button's content is wrong",
    -114: "the person can't receive it",
    -115: "no money left",
    -116: "the text is wrong",
    -117: "the template is not ours",
    -118: "no Zalo account",
    -119: "the person can't receive it",
    -120: "the account may not use this",
    -1202: "the account may not use this",
    -121: "the call is empty",
    -122: "the call is no JSON",
    -123: "the call can't be deciphered",
    -126: "no money left for trials",
    -127: "a trial goes only to the account's own people",
    -128: "no key",
    -130: "too long",
    -131: "the template is not approved",
    -132: "a parameter is wrong",
    -133: "not at night",
    -134: "the person has not agreed",
    -135: "the account may not send notifications",
    -1351: "Zalo has stopped the account's notifications",
    -136: "the account is not connected with a Zalo Cloud account",
    -137: "could not be charged",
    -138: "the app may not use this",
    -1381: "the app may not charge the account",
    -139: "the person refuses this kind",
    -140: "the person refuses this kind",
    -141: "the person refuses all of them",
    -142: "no key",
    -144: "the account's daily limit",
    -1441: "the account's monthly limit of advertisements",
    -145: "the account may not send this kind",
    -146: "the template is disabled",
    -147: "the template's daily limit",
    -1471: "the monthly limit for this person",
    -1472: "the daily limit for this person",
    -148: "a journey",
    -149: "a journey",
    -1491: "a journey",
    -150: "a journey",
    -151: "the template is not for encryption",
    -152: "no key",
    -153: "the data are wrong",
    -161: "the mode of sending is wrong",
    -162: "not with this mode of sending",
}
NEVER: Errors = {-201: "a field is wrong", -108: "no such phone"}
# "Xảy ra lỗi không xác định": it may have been sent all the same.
DOUBTFUL: Errors = {-100: "an error that Zalo can't name"}

EVERY: Errors = {**TOKEN, **HELD, **LATER, **ELSEWHERE, **NEVER, **DOUBTFUL}
