"""What in AWS's answers points to somebody: how it is found in a text, and what stands for it instead.

Replacements come from ranges kept for documentation: accounts of three equal runs of four digits, 203.0.113.0/24
and its siblings (RFC 5737, RFC 2544), 2001:db8::/32 (RFC 3849), example.com (RFC 2606), key ids with EXAMPLE.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count, pairwise

# A word also begins behind an escape of JSON (\n) and of a URL (%3A), whose letter is none of its own.
BEGIN = r"(?:(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<![A-Za-z0-9]))"
_ESCAPED = re.compile(r"(?:\\[nrtbf]|%[0-9A-Fa-f]{2})\Z")

Found = Iterator[tuple[int, int, str]]
"""Where a value stands in a text (start, end), and the value without the text's escapes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `find` yields real and invented ones alike; `real` tells them apart."""

    name: str
    told: str
    find: Callable[[str], Found]
    real: Callable[[str], bool]
    fakes: Callable[[str], Iterator[str]]
    """Replacements for values of one group, in rising order; groups are told by `group`."""
    group: Callable[[str], str] = lambda _: ""
    shown: Callable[[str, str], str] = lambda fake, _: fake
    """The replacement in the escapes of the text that is replaced."""
    needs: tuple[str, ...] = ()
    """Texts without any of these hold no such value; most hold none of most kinds."""

    def places(self, text: str) -> Found:
        """What `find` yields, sooner where there is nothing."""
        return self.find(text) if not self.needs or any(part in text for part in self.needs) else iter(())


def _all(pattern: re.Pattern[str], unescape: Callable[[str], str] = str) -> Callable[[str], Found]:
    def find(text: str) -> Found:
        for match in pattern.finditer(text):
            yield match.start(1), match.end(1), unescape(match[1])

    return find


# -- accounts ----------------------------------------------------------------------------------------

_DIGITS = re.compile(r"\d{12,}")
_UUID_HEAD = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-\Z")
_NUMBER_BEFORE = re.compile(
    r"(?:[:\[,]\s*|<(?!\w*(?:[Aa]ccount|[Oo]wner|[Uu]ser|[Pp]ayer|[Rr]egistry))\w+>)\Z"
)
_NUMBER_AFTER = re.compile(r"\s*(?:[,}\]]|</)")
_PLAIN_ACCOUNT = re.compile(r"(\d)\1{3}(\d)\2{3}(\d)\3{3}|123456789012")


def twelve_digits(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Each twelve digits that stand alone, and whether they may be a number (bytes) or part of a hash."""
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        if end - start != 12:
            continue
        before, after = text[max(0, start - 40) : start], text[end : end + 8]
        if re.search(r"\d\.\Z", before) or re.match(r"\.\d", after) or _UUID_HEAD.search(before):
            continue
        joined = after[:1].isalpha() or (before[-1:].isalpha() and not _ESCAPED.search(before))
        number = _NUMBER_BEFORE.search(before) is not None and _NUMBER_AFTER.match(after) is not None
        yield start, end, match[0], joined or number


def _accounts(text: str) -> Found:
    for start, end, value, unsure in twelve_digits(text):
        if not unsure:
            yield start, end, value


def _fake_accounts(_: str) -> Iterator[str]:
    digits = "123456789"
    return chain(
        (f"{a * 4}{b * 4}{c * 4}" for a in digits for b in digits for c in digits if len({a, b, c}) > 1),
        (f"1111{number:08d}" for number in count(1)),
    )


# -- ids of keys and principals ----------------------------------------------------------------------

_ID = re.compile(
    rf"{BEGIN}((?:AKIA|ASIA|AROA|AIDA|AGPA|AIPA|ANPA|ANVA|APKA|ABIA|ACCA|ASCA)[A-Z0-9]{{12,30}})(?![A-Za-z0-9])"
)
_ORGANISATION = re.compile(
    r"(?<![\w-])(ssoins-[0-9a-f]{16}|d-[0-9a-f]{10}|o-(?=[a-z]*\d)[a-z0-9]{10,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})"
    r"(?![\w-])"
)
_CANONICAL = re.compile(
    r'(?:<ID>|<CanonicalUser>|(?:ID|[cC]anonicalUser(?:Id)?)\\*"\s*:\s*\\*")([0-9a-f]{64})\b'
)
_RESERVED = re.compile(r"AWSReservedSSO_[\w+=,.@-]{1,80}?_([0-9a-f]{16})(?![0-9a-f])")


def _fake_ids(group: str) -> Iterator[str]:
    prefix, length = group[:4], int(group[4:])
    return (f"{prefix}EXAMPLE{number:0{max(1, length - 11)}d}" for number in count(1))


def _fake_like(group: str) -> Iterator[str]:
    """The same beginning and length, counted."""
    prefix, _, length = group.rpartition("|")
    return (f"{prefix}e{number:0{int(length) - 1}d}" for number in count(1))


def _like(value: str) -> str:
    prefix = value[: value.rfind("-") + 1]
    return f"{prefix}|{len(value) - len(prefix)}"


def _not_counted(value: str) -> bool:
    rest = value[value.rfind("-") + 1 :]
    return not re.fullmatch(r"e0{3,}\d+", rest)


# -- addresses ---------------------------------------------------------------------------------------

_V4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3,}")
_V4_HOST = re.compile(r"\b(?:ip|ec2)-(\d{1,3}(?:-\d{1,3}){3})(?![\d-])")
_V6 = re.compile(
    r"(?:(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<![\w:.]))([23][0-9a-fA-F]{3}(?::[0-9a-fA-F]{0,4}){2,7})(?![\w:])"
)
_PRODUCT = re.compile(
    r"(?:Chrom(?:e|ium)|HeadlessChrome|CriOS|Edg\w*|OPR|Electron|Version|Firefox|Safari)/\Z"
)


def _v4(text: str) -> Found:
    for match in _V4.finditer(text):
        start, end = match.span()
        before, after = text[max(0, start - 24) : start], text[end : end + 2]
        inside = re.search(r"[\w.]\Z", before) and not _ESCAPED.search(before)
        if inside or re.match(r"\d|\.\d", after) or match[0].count(".") != 3 or _PRODUCT.search(before):
            continue
        yield start, end, match[0]
    for match in _V4_HOST.finditer(text):
        yield match.start(1), match.end(1), match[1].replace("-", ".")


def _is_public(value: str) -> bool:
    try:
        return ipaddress.ip_address(value).is_global and not value.endswith(".0.0.0")
    except ValueError:
        return False


def _network_tail(value: str) -> str:
    """Networks are written with zeros at the end; their replacements too, or a CIDR would have host bits."""
    return ".0.0" if value.endswith(".0.0") else ".0" if value.endswith(".0") else ""


def _fake_v4(tail: str) -> Iterator[str]:
    if tail == ".0.0":
        return iter(("198.18.0.0", "198.19.0.0"))
    spare = ((a, b) for a in (18, 19) for b in range(1, 256))
    if tail == ".0":
        return chain(("192.0.2.0", "198.51.100.0", "203.0.113.0"), (f"198.{a}.{b}.0" for a, b in spare))
    blocks = ("203.0.113", "198.51.100", "192.0.2")
    return chain(
        *(sorted(f"{block}.{number}" for number in range(1, 255)) for block in blocks),
        (f"198.{a}.{b}.{number}" for a, b in spare for number in range(1, 255)),
    )


def _fake_v6(_: str) -> Iterator[str]:
    return (f"2001:db8::{number:04x}" for number in range(1, 0x10000))


def _dashed(fake: str, original: str) -> str:
    return fake.replace(".", "-") if "." not in original else fake


# -- mail, hosts, page tokens, blobs -----------------------------------------------------------------

_MAIL = re.compile(
    r"(?:(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<![\w.+%\\-]))"
    r"([A-Za-z0-9_][\w.+-]{0,63}(?:@|%40)(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})(?![A-Za-z0-9-])"
)
_FREE_DOMAIN = re.compile(
    r"@(?:[\w-]+\.)*(?:example(?:\.(?:com|org|net|edu|jp|co\.jp))?|test|invalid)$", re.I
)
# The part of a database's or cache's host name that AWS gives an account in a region.
_HOST_PART = re.compile(
    r"\.(?:cluster-(?:ro-|custom-)?|proxy-)?([a-z0-9]{12})\.[a-z0-9-]+\.(?:rds|neptune|docdb)\.amazonaws\.com"
    r"|\.([a-z0-9]{6})(?:\.ng)?(?:\.\d{4})?\.[a-z0-9]{3,5}\.cache\.amazonaws\.com"
)
_PAGE = re.compile(
    r"(?:[nN]ext(?:Forward|Backward|Page)?Token|[nN]extMarker|[mM]arker|[pP]aginationToken|[pP]ageToken|position)"
    r'(?:\\*"\s*:\s*\\*"|>|=)([^"\\<&\s]{12,})'
)
_BLOB = re.compile(
    r"(?<![A-Za-z0-9+/_=-])(?:([A-Za-z0-9+/]{40,}={0,2})|([A-Za-z0-9_-]{40,}={0,2}))(?![A-Za-z0-9+/_=-])"
)


def _hosts(text: str) -> Found:
    for match in _HOST_PART.finditer(text):
        group = 1 if match[1] else 2
        yield match.start(group), match.end(group), match[group]


def _blobs(text: str) -> Found:
    for match in _BLOB.finditer(text):
        if not re.search(r'Sha256\\*"?\s*[:>=]\s*\\*"?\Z', text[max(0, match.start() - 16) : match.start()]):
            yield match.start(), match.end(), match[0]


@lru_cache(maxsize=65536)
def is_blob(value: str) -> bool:
    """Whether a long run is what machines make (keys, tokens, ciphertext) and not a name or a hash in hex."""
    if value.isdigit() or re.search(r"[a-z]{9}", value) or value.lower() == value:
        return False
    size = len(value)
    shares = [sum(map(kind, value)) / size for kind in (str.isupper, str.islower, str.isdigit)]
    bits = -sum(n / size * math.log2(n / size) for n in Counter(value).values())
    kinds = [2 if letter.isupper() else letter.islower() for letter in value]
    turns = sum(one != other for one, other in pairwise(kinds)) / size  # names stay with one kind for longer
    return min(shares[:2]) >= 0.15 and 0.02 <= shares[2] <= 0.4 and bits >= 4.5 and turns >= 0.45


def _fake_mail(_: str) -> Iterator[str]:
    return (f"person-{number:02d}@example.com" for number in count(1))


def _at(fake: str, original: str) -> str:
    return fake.replace("@", "%40") if "%40" in original else fake


def _counted(name: str) -> Callable[[str], Iterator[str]]:
    return lambda _: (f"{name}-{number:05d}" for number in count(1))


def _free_mail(value: str) -> bool:
    return not _FREE_DOMAIN.search(value)


KINDS = (
    Kind(
        "page",
        "a page token",
        _all(_PAGE),
        lambda value: not value.isdigit(),
        _counted("page"),
        needs=("oken", "arker", "position"),
    ),
    Kind("blob", "a secret or token", _blobs, is_blob, _counted("opaque")),
    Kind(
        "mail",
        "an e-mail address",
        _all(_MAIL, lambda value: value.replace("%40", "@")),
        _free_mail,
        _fake_mail,
        shown=_at,
        needs=("@", "%40"),
    ),
    Kind(
        "id",
        "the id of a key or principal",
        _all(_ID),
        lambda value: "EXAMPLE" not in value,
        _fake_ids,
        group=lambda value: f"{value[:4]}{len(value)}",
        needs=("AK", "AS", "AR", "AI", "AG", "AN", "AP", "AB", "AC"),
    ),
    Kind(
        "organisation",
        "the id of an organisation or directory",
        _all(_ORGANISATION),
        _not_counted,
        _fake_like,
        _like,
        needs=("ssoins-", "o-", "d-", "ou-"),
    ),
    Kind(
        "canonical",
        "a canonical user id",
        _all(_CANONICAL),
        _not_counted,
        _fake_like,
        _like,
        needs=("ID", "anonical"),
    ),
    Kind(
        "reserved",
        "the suffix of an SSO role",
        _all(_RESERVED),
        _not_counted,
        _fake_like,
        _like,
        needs=("AWSReservedSSO_",),
    ),
    Kind(
        "host",
        "the account's part of a host name",
        _hosts,
        _not_counted,
        _fake_like,
        _like,
        needs=(".amazonaws.com",),
    ),
    Kind(
        "account",
        "an account id",
        _accounts,
        lambda value: not _PLAIN_ACCOUNT.fullmatch(value),
        _fake_accounts,
    ),
    Kind(
        "address",
        "a public address",
        _v4,
        _is_public,
        _fake_v4,
        _network_tail,
        _dashed,
        needs=(".", "ip-", "ec2-"),
    ),
    Kind("address6", "a public address", _all(_V6), _is_public, _fake_v6, needs=(":",)),
)
