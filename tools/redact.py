"""Secrets out of everything that is kept or shown: evidence, recordings, log lines, prompts.

Works on text: canonical JSON, AWS's wire JSON and XML, JSON inside a JSON string, and log lines. Valid JSON
stays valid. What identifies without opening anything stays, for investigations rest on it: account ids,
ARNs, names, addresses, UUIDs, request ids, hashes, numbers, page tokens, and access key ids (the way from
one assumed role to the next).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

MASK = "[redacted]"
URL_MASK = "REDACTED"
"""In the host part of a URL, where brackets mean an IPv6 address and break whoever splits it."""

# Fields and variables whose names end so hold a secret. Page and idempotency tokens do not.
_KEYS = ("secret", "private", "signing", "encryption", "api", "account", "shared")
_TOKENS = (
    *("session", "security", "access", "refresh", "id", "auth", "authorization", "api", "bearer", "bot"),
    *("github", "gitlab", "slack", "webhook", "csrf", "oauth", "login", "user", "service", "admin", "deploy"),
)
_NAME = re.compile(
    r"(?:pass(?:word|wd|phrase)|pwd|secret|credentials?|connectionstring|userdata|authorization|cookie"
    rf"|(?:{'|'.join(_KEYS)})(?:access)?key|secret(?:string|binary|value)"
    rf"|(?:^|{'|'.join(_TOKENS)})token)$"
)
# The same ends and what stands after such a name, to see at once which passes a text needs: most need none.
_AFTER = (
    r'(?:(?P<field>"\s*+:\s*+")|(?P<nested>\\"\s*+:\s*+\\")|(?P<element>>)|(?P<word>\'? ?[=:]|\\?" ?=)'
    r"|(?P<flag> ))"
)
_ENDS = {
    "passw": re.compile(rf"passw(?:or)?d{_AFTER}"),
    "pass": re.compile(rf"pass{_AFTER}"),
    "passphrase": re.compile(rf"passphrase{_AFTER}"),
    "pwd": re.compile(rf"pwd{_AFTER}"),
    "secret": re.compile(rf"secret(?:string|binary|value)?{_AFTER}"),
    "credential": re.compile(rf"credentials?{_AFTER}"),
    "connectionstring": re.compile(rf"connectionstring{_AFTER}"),
    "userdata": re.compile(rf"userdata{_AFTER}"),
    "authorization": re.compile(rf"authorization{_AFTER}"),
    "cookie": re.compile(rf"cookie{_AFTER}"),
    "key": re.compile(rf"key{_AFTER}"),
    "token": re.compile(rf"token{_AFTER}"),
}
_KEY_STARTS = tuple(f"{of}{how}" for of in _KEYS for how in ("", "access"))
_SEPARATORS = str.maketrans("", "", "_.-\u0307")  # the last is the second half of "İ" in lower case
# A string of JSON, and the same inside a string of JSON, where each quote carries a backslash.
_STRING = r'"((?:[^"\\]|\\.)*+)"'
_NESTED_STRING = r'\\"((?:[^"\\]|\\\\(?:\\["\\]|[^"\\]))*+)\\"'
_FIELD = re.compile(rf'("([\w.-]{{1,80}})"\s*+:\s*+){_STRING}')
_NESTED_FIELD = re.compile(rf'(\\"([\w.-]{{1,80}})\\"\s*+:\s*+){_NESTED_STRING}')
# ECS, CodeBuild, CloudFormation and tags write a name and its value as two fields, in either order.
_NAME_VALUE = re.compile(rf'("\w*(?:[nN]ame|[kK]ey)"\s*:\s*"([^"\\]*)"\s*,\s*"\w*[vV]alue"\s*:\s*){_STRING}')
_VALUE_NAME = re.compile(
    rf'("\w*[vV]alue"\s*:\s*){_STRING}(?=\s*,\s*"\w*(?:[nN]ame|[kK]ey)"\s*:\s*"([^"\\]*)")'
)
_VARIABLES = re.compile(rf'"Variables"\s*:\s*\{{(?:\s*{_STRING}\s*:\s*{_STRING}\s*,?)*\s*\}}')
_ELEMENT = re.compile(r"(<([A-Za-z]{3,60})>)([^<]+)(?=</)")
# A short name for a password; "bypass" and "compass" are none.
_PASS = re.compile(
    r"(?:(?:^|[_.-])(?:(?:db|user|my|pg|smtp|ftp|mail|admin|root|redis|sql|mysql)?pass)|[a-z]Pass)$"
)
# name=value, name: value, name = "value", 'name': 'value' as Python prints it, "name" => "value" as Ruby does.
_WORD = re.compile(r"""(?<![\w.-])([A-Za-z_-][\w.-]{2,63}+)(?:'|\\?"(?= ?=))? ?(=>|:=|[=:]) ?(?=[^\s=:])""")
# arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME names a secret and holds none.
_ARN_HEAD = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:\d{12}:$")
_VALUE = re.compile(r"[^\s\"'&,;\\)}\]<]+")
# A quote that opens is never followed by what follows a string of JSON, so JSON stays JSON.
_QUOTED = (
    re.compile(r"""()'((?:[^'"\\\n]|\\[^"\n])++)'"""),
    re.compile(r"""()"(?![\s,:}\]])((?:[^"\\\n]|\\.)++)\""""),
    re.compile(r"""(\\)"(?![\s,:}\]\\])((?:[^"\\]|\\\\(?:\\["\\]|[^"\\]))++)\\\""""),
)
_OPENING = re.compile(r"""'|\\?"(?![\s,:}\]\\])""")
_FLAG = re.compile(r"(?<![\w-])--([A-Za-z][\w-]{2,63}+) +(?=[^\s=:-])")
_CLIENT = re.compile(
    r"\b(?:(?:mysql|mariadb)[\w-]{0,12}+ (?:[^\n|;&]{0,200}? )?-p(?=[^\s])|sshpass +-p ?(?=[^\s]))"
)
_PROSE = frozenset(
    (
        *("and", "argument", "as", "at", "can", "cannot", "flag", "for", "from", "given", "has", "if", "in"),
        *("instead", "is", "may", "missing", "must", "needs", "not", "on", "option", "options", "or"),
        *(
            "parameter",
            "required",
            "requires",
            "should",
            "switch",
            "the",
            "to",
            "value",
            "via",
            "was",
            "with",
        ),
    )
)
_HAS_URL = re.compile(r"://[^\s:/@\"'\\]*+:[^\s/@\"'\\]+@")
_URL = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{1,20}+://[^\s:/@\"'\\]*+:)([^\s/\"'\\]+)(?=@)")
_HOST = re.compile(r"://[^\s/?#\"'\\]*+")
_SIGNED = re.compile(r"(\b(?:X-Amz-)?(?:Signature|Security-Token)=)(?!\[redacted\])([^\s&\"'\\,]+)", re.I)
_BEARER = re.compile(r"(\b(?:[Bb]earer|[Bb]asic)\s+)([A-Za-z0-9._~+/-]{12,}=*)")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_KNOWN = re.compile(
    r"\beyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{4,}+\.[A-Za-z0-9_-]*"  # JSON web token
    r"|\b(?:FwoGZXIvYXdz|FQoGZXIvYXdz|IQoJb3JpZ2luX2Vj)[A-Za-z0-9/+=_%-]{20,}"  # token of an STS session
    r"|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{20,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bAIza[A-Za-z0-9_-]{35}\b"
    r"|(?<![\w-])sk-(?:(?:proj|ant|svcacct|admin)-[\w-]{8,}|[A-Za-z0-9]{20,})"
    r"|\bSG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
_STARTS = (
    *(
        "eyJ",
        "oGZXIvYXdz",
        "IQoJb3Jp",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "xox",
    ),
    *("sk_live_", "sk_test_", "rk_live_", "rk_test_", "AIza"),
)
# "sk-" also stands in names such as task-17, so its form decides.
_SHORT_START = re.compile(r"sk-(?:(?:proj|ant|svcacct|admin)-|[A-Za-z0-9]{20})")
_DOTTED_START = re.compile(r"SG\.[\w-]{8,}+\.")
# A secret key has 40 characters of base64 and stands beside its id; 40 hex digits are a SHA-1.
_KEY_PAIR = re.compile(
    r"((?:AKIA|ASIA)[A-Z0-9]{16}[\s,:;|\"'\\=]{1,6})(?![0-9a-f]{40})([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_REFERENCE = re.compile(
    r"arn:aws|[a-z][a-z0-9+.-]*://(?!.*@)|/[\w./-]*$"
    r"|(?:true|false|null|none|\d[\d.:TZ+-]*|\*+|HIDDEN_DUE_TO_SECURITY_REASONS|\[redacted\])$",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9+/_=]{24,}")


def redact(text: str) -> str:
    """`text` with each secret replaced by [redacted], REDACTED in the host of a URL.

    Doing it twice changes nothing more.
    """
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    if any(start in text for start in _STARTS) or _SHORT_START.search(text) or _DOTTED_START.search(text):
        text = _KNOWN.sub(MASK, text)
    if _HAS_URL.search(text):
        text = _URL.sub(rf"\g<1>{URL_MASK}", text)
    if "earer" in text or "asic" in text:
        text = _BEARER.sub(_masked, text)
    if "AKIA" in text or "ASIA" in text:
        text = _KEY_PAIR.sub(_masked, text)
    if "ignature=" in text or "oken=" in text:
        text = _SIGNED.sub(_masked, text)
    if '"Variables"' in text:
        text = _VARIABLES.sub(_variables, text)
    forms = _forms(text)
    text = _json(text, forms)
    if "element" in forms:
        text = _ELEMENT.sub(_element, text)
    if "word" in forms:
        text = _words(text)
    if "flag" in forms and "--" in text:
        text = _flags(text)
    if "-p" in text and any(client in text for client in ("mysql", "mariadb", "sshpass")):
        text = _clients(text)
    return _HOST.sub(_host, text) if MASK in text and "://" in text else text


def looks_secret(value: str) -> bool:
    """True for values without words in them, as keys made by machines are. Hashes are not secret."""
    return any(_is_random(run) for run in _RUN.findall(value)) and not _REFERENCE.match(value)


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """True when a field or variable of this name holds a secret: DB_PASSWORD, sessionToken, client-secret."""
    return _NAME.search(re.sub(r"[\W_]", "", name.lower())) is not None or _is_pass(name)


def _is_pass(name: str) -> bool:
    return _PASS.search(name.lower() if name.isupper() else name) is not None


def _forms(text: str) -> set[str]:
    """The forms in which `text` may name a secret: field, nested, element, word. Never too few."""
    squeezed = text.lower().translate(_SEPARATORS)
    found: set[str] = set()
    for word, end in _ENDS.items():
        if word not in squeezed:
            continue
        for match in end.finditer(squeezed):
            if match.lastgroup and match.lastgroup not in found and _may_end(squeezed, word, match.start()):
                found.add(match.lastgroup)
    return found


def _may_end(squeezed: str, word: str, place: int) -> bool:
    """Whether what stands before a "key" or "token" can make it a secret."""
    if word == "key":
        return squeezed.endswith(_KEY_STARTS, 0, place)
    if word == "token":
        return not place or not squeezed[place - 1].isalnum() or squeezed.endswith(_TOKENS, 0, place)
    return True


def _json(text: str, forms: set[str]) -> str:
    if "field" in forms:
        text = _FIELD.sub(_field, text)
    if "nested" in forms:
        text = _NESTED_FIELD.sub(_nested_field, text)
    if 'alue"' in text and ('ame"' in text or 'ey"' in text):
        text = _VALUE_NAME.sub(_value_name, _NAME_VALUE.sub(_field, text))
    return text


def _masked(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}"


def _field(match: re.Match[str]) -> str:
    return f'{match[1]}"{MASK}"' if is_secret_name(match[2]) and _opens(match[3]) else match[0]


def _nested_field(match: re.Match[str]) -> str:
    return f'{match[1]}\\"{MASK}\\"' if is_secret_name(match[2]) and _opens(match[3]) else match[0]


def _value_name(match: re.Match[str]) -> str:
    return f'{match[1]}"{MASK}"' if is_secret_name(match[3]) and _opens(match[2]) else match[0]


def _element(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}" if is_secret_name(match[2]) and _opens(match[3]) else match[0]


def _variables(match: re.Match[str]) -> str:
    def replace(variable: re.Match[str]) -> str:
        return f'{variable[1]}"{MASK}"' if looks_secret(variable[3]) else variable[0]

    return _FIELD.sub(replace, match[0])


def _host(match: re.Match[str]) -> str:
    return match[0].replace(MASK, URL_MASK)


def _words(text: str) -> str:
    """Secrets told as "name=value" or "name: value" in lines, quoted or not."""
    spans = []
    for word in _WORD.finditer(text):
        if not is_secret_name(word[1]) or _ARN_HEAD.search(text, max(0, word.start() - 120), word.start()):
            continue
        start, end, quoted = _value(text, word.end())
        value = text[start:end]
        if _opens(value) and (quoted or word[2] != ":" or _is_mixed(value)):
            spans.append((start, end))
    return _without(text, spans)


def _flags(text: str) -> str:
    """Secrets told on a command line: --password VALUE, mysql -pVALUE."""
    spans = []
    for flag in _FLAG.finditer(text):
        if is_secret_name(flag[1]):
            start, end, quoted = _value(text, flag.end())
            if _opens(text[start:end]) and (quoted or text[start:end].lower().rstrip(".:") not in _PROSE):
                spans.append((start, end))
    return _without(text, spans)


def _clients(text: str) -> str:
    """Secrets told on the command line of a client that writes them behind -p: mysql -pVALUE."""
    found = (_value(text, client.end()) for client in _CLIENT.finditer(text))
    return _without(text, [(start, end) for start, end, _ in found if _opens(text[start:end])])


def _value(text: str, at: int) -> tuple[int, int, bool]:
    """Where the value that begins at `at` lies, without its quotes, and whether it had any."""
    for pattern in _QUOTED:
        if quoted := pattern.match(text, at):
            return quoted.start(2), quoted.end(2), True
    opening = _OPENING.match(text, at)
    bare = _VALUE.match(text, opening.end() if opening else at)
    return (bare.start(), bare.end(), False) if bare else (at, at, False)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if start >= done:
            parts += (text[done:start], MASK)
            done = end
    return "".join((*parts, text[done:])) if parts else text


def _opens(value: str) -> bool:
    """Whether a value is what opens a door, not a reference to it, a number, a date or a mask."""
    return bool(value) and not _REFERENCE.match(value) and not value.startswith(("[redacted", URL_MASK))


def _is_mixed(value: str) -> bool:
    """After a colon often stands a word, not a value: "password: incorrect"."""
    return len(value) >= 8 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _is_random(run: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(kind(letter) for letter in run) for kind in kinds):
        return False
    counts = Counter(run)
    entropy = -sum(n / len(run) * math.log2(n / len(run)) for n in counts.values())
    return entropy >= 3.8
