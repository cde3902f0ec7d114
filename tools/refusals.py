"""Error codes of AWS, read: which mean "try again", "no permission", "not there", "sign in", "not switched
on".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools import denied
from tools.errors import Denied, NoCredentials, NotRecorded, NotThere, OpsleuthError, Throttled, Unavailable
from tools.models import Gap, Json

_THROTTLED = re.compile(
    r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|BandwidthLimitExceeded|ProvisionedThroughputExceeded"
    r"|PriorRequestNotComplete|TransactionInProgress|^LimitExceededException$"
)
_FAULT = re.compile(
    r"InternalFailure|InternalError|ServiceUnavailable|RequestTimeout|ServiceException$|^5\d\d$"
)
_MISSING = re.compile(r"NotFound|NoSuch|Non[Ee]xistent|DoesNotExist|^404$")
_NOT_ON = {
    "NoAvailableConfigurationRecorderException": "AWS Config records nothing here.",
    "ResourceNotDiscoveredException": "AWS Config does not record this resource.",
    "OptInRequired": "This service or region is not enabled for the account.",
    "SubscriptionRequiredException": "The account's support plan does not include it: AWS Health needs "
    "Business support or more.",
    "AWSOrganizationsNotInUseException": "The account is in no organization.",
    "InvalidAccessException": "The service is not enabled in this account and region.",
}
_SIGN_IN = "Sign in again (aws sso login, or new keys), then repeat the command."
_SIGNATURE = "AWS rejects the signature: the secret key, or the clock of this machine, is wrong."
_CREDENTIALS = {
    "ExpiredToken": f"Your AWS session has expired. {_SIGN_IN}",
    "ExpiredTokenException": f"Your AWS session has expired. {_SIGN_IN}",
    "RequestExpired": "AWS says that the request is too old: the clock of this machine is off. Set it right.",
    "RequestTimeTooSkewed": "AWS says that the clock of this machine is off. Set it right.",
    "TokenRefreshRequired": f"Your AWS session has expired. {_SIGN_IN}",
    "InvalidClientTokenId": "AWS does not know this access key. Check the profile, or sign in again.",
    "InvalidAccessKeyId": "AWS does not know this access key. Check the profile, or sign in again.",
    "AuthFailure": "AWS does not accept these credentials. Check the profile, or sign in again.",
    "UnrecognizedClientException": "AWS does not know these credentials. Check the profile and the region.",
    "MissingAuthenticationToken": "AWS received no credentials. Name a profile with --profile.",
    "InvalidSignatureException": _SIGNATURE,
    "SignatureDoesNotMatch": _SIGNATURE,
}
# A region that the account has not switched on does not know the account's keys.
_UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What AWS said no to. `service` is the boto3 client name; `known_account`: earlier calls were
    accepted.
    """

    service: str
    operation: str
    parameters: Json
    region: str
    code: str
    message: str
    status: int
    attempts: int = 1
    known_account: bool = False

    @property
    def what(self) -> str:
        return f"{self.service}:{self.operation}"


def is_passing(code: str, status: int) -> bool:
    """True when the same call may work in a moment."""
    return bool(_THROTTLED.search(code) or _FAULT.search(code)) or status >= 500 or status == 429


def error_of(refusal: Refusal) -> OpsleuthError:
    """The error to raise for a refusal: of the tree in `tools.errors`, with its gap."""
    code, message = refusal.code, refusal.message
    if code in _UNKNOWN_KEY and refusal.known_account:
        why = (
            f"The account's credentials are unknown in {refusal.region}: that region is probably not enabled."
        )
        lift = f"Enable {refusal.region} in the account settings, or leave the region out."
        return Unavailable(Gap(what=refusal.what, why=why, lift=lift, code="NotEnabled"), code)
    if code in _CREDENTIALS:
        return NoCredentials(_CREDENTIALS[code])
    if code == "NotRecorded":  # a simulated account says so on the wire
        return NotRecorded(Gap(what=refusal.what, why=message, code=code), code)
    if code in _NOT_ON:
        return Unavailable(Gap(what=refusal.what, why=_NOT_ON[code], code="NotEnabled"), code)
    if denied.is_denial(code, message):
        return Denied(denied.gap(refusal.service, refusal.operation, refusal.parameters, message), code)
    if _MISSING.search(code) or (
        code in ("ValidationError", "ValidationException") and "not exist" in message
    ):
        why = f"AWS says that it does not exist: {message}"
        return NotThere(Gap(what=refusal.what, why=why, code="NotThere"), code)
    if _THROTTLED.search(code) or refusal.status == 429:
        times = "once" if refusal.attempts == 1 else f"{refusal.attempts} times"
        why = f"AWS throttled the call {times}."
        lift = "Try again in a minute; others may be using up this API's quota."
        return Throttled(Gap(what=refusal.what, why=why, lift=lift, code="Throttled"), code)
    return Unavailable(Gap(what=refusal.what, why=f"AWS answered {code}: {message}", code=code), code)
