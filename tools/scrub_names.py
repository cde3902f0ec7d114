"""Names of people in AWS's answers: where they stand, which are none, and what stands for them.

A name is learned where AWS says that it is one (userName, ARNs of users and of role sessions, principal ids) and then
replaced wherever it stands as a word, in log lines and in names of resources too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tools.scrub_kinds import BEGIN

_C, _S, _N = r"(?::|%3[aA])", r"(?:/|%2[fF])", r"[\w+=,.@-]"
_IAM = rf"arn{_C}aws[\w-]*{_C}(?:iam|sts){_C}{_C}\d{{12}}{_C}"
_QUOTED = r'\\*"\s*:\s*\\*"'
_KEYS = "[uU]ser[nN]ame|[rR]oleSessionName|[sS]ourceIdentity|sessionName|user_name|IdentityStoreUserId"
PLACES = (
    re.compile(rf"{_IAM}(?:user|mfa|federated-user){_S}(?:{_N}+{_S})*({_N}{{2,}})"),
    re.compile(rf"{_IAM}assumed-role{_S}{_N}+{_S}({_N}{{2,}})"),
    re.compile(rf"(?:AROA|AIDA|ASIA)[A-Z0-9]{{12,}}{_C}({_N}{{2,}})"),
    re.compile(rf'"(?:{_KEYS}){_QUOTED}([^"\\]{{2,64}})'),
    re.compile(r"<(?:UserName|RoleSessionName)>([^<]{2,64})<"),
    re.compile(rf'AttributeKey{_QUOTED}Username\\*",\s*\\*"AttributeValue{_QUOTED}([^"\\]{{2,64}})'),
)
"""Where AWS says that a text names a user or a session of a role."""

_ROLES = re.compile(rf"(?:assumed-role{_S}({_N}+)|{_C}role{_S}(?:{_N}+{_S})*({_N}+))")
_RESOURCES = re.compile(r"arn:aws[\w-]*:(?!iam:|sts:)[\w-]+:[\w-]*:\d{12}:(?:[\w-]+[:/])?([\w.-]+)")
_NAMED = re.compile(r'"[fF]unctionName\\*"\s*:\s*\\*"([\w-]+)')
# What programs call their sessions; it tells how a change was made and nobody's name.
_MACHINE = re.compile(
    r"i-[0-9a-f]{8,}|AWS.*|aws-.*|amazon.*|botocore-session.*|GitHubActions.*|CodeBuild.*|terraform.*|tofu.*"
    r"|pulumi.*|StackSet.*|cdk.*|awslambda_.*|AutoScaling.*|Ecs.*|ECS.*|EKS.*|Lambda.*|cloudformation.*|opsleuth.*"
    r"|[0-9a-f]{16,}|[0-9a-f]{8}-[0-9a-f-]{27}|[\d.:-]+|HIDDEN_DUE.*|.*\.amazonaws\.com(?:\.cn)?|session.*",
    re.IGNORECASE,
)
_PREFIXED = re.compile(r"(gitlab-|bitbucket-|github-|jenkins-)(.+)", re.IGNORECASE)
_ORDINARY = frozenset(
    (
        *("admin", "administrator", "root", "deploy", "deployer", "deployment", "test", "tester", "testing"),
        *(
            "stage",
            "staging",
            "prod",
            "production",
            "build",
            "builder",
            "jenkins",
            "github",
            "gitlab",
            "user",
        ),
        *(
            "users",
            "system",
            "service",
            "backup",
            "monitor",
            "monitoring",
            "readonly",
            "operator",
            "developer",
        ),
        *("default", "guest", "public", "private", "lambda", "console", "automation", "pipeline", "release"),
        *("support", "security", "audit", "auditor", "infra", "infrastructure", "platform", "none", "null"),
        *("unknown", "anonymous", "noreply", "info", "true", "false", "orders", "worker", "server", "client"),
    )
)
_STRUCTURE = re.compile(r'"([\w.-]{2,64})\\*"\s*:|</?([\w.-]{2,64})[>\s/]|arn:aws[\w-]*:([\w-]+):')
_FAKE = re.compile(r"person(?:-\d{2,}|\.[a-z]{2,3})")
_DOTTED = re.compile(r"[A-Za-z]+\.[A-Za-z]+")


def people(texts: Iterable[str]) -> tuple[set[str], set[str]]:
    """(names of people, words that are also part of the structure of these texts)."""
    said, roles, things, structure = set[str](), set[str](), set[str](), set[str]()
    for text in texts:
        for place in PLACES:
            said.update(match[1] for match in place.finditer(text))
        roles.update(match[1] or match[2] for match in _ROLES.finditer(text))
        things.update(match[1] for pattern in (_RESOURCES, _NAMED) for match in pattern.finditer(text))
        structure.update(
            part.lower() for match in _STRUCTURE.finditer(text) for part in match.groups() if part
        )
    names = {bare for name in said if (bare := _person(name)) and bare not in roles | things}
    return names, structure


def from_mail(address: str) -> str:
    """The part of an address that is a person's name ("" when it may be an ordinary word)."""
    local = address.partition("@")[0].partition("+")[0]
    named = re.search(r"[._-]", local) or re.search(r"\d", local)
    return local if named and _person(local) else ""


def _person(name: str) -> str:
    """The part of a user's or session's name that names somebody; "" when a program or nobody does."""
    bare = name.strip().rstrip(".,")
    prefixed = _PREFIXED.fullmatch(bare)
    bare = prefixed[2] if prefixed else bare
    if len(bare) < 3 or "@" in bare or bare.lower() in _ORDINARY or _MACHINE.fullmatch(bare):
        return ""
    return bare


def is_invented(name: str) -> bool:
    """Whether a name is one that stands for another already."""
    return _FAKE.fullmatch(name) is not None


def fakes(dotted: bool, taken: set[str]) -> Iterator[str]:
    """Names nobody has; `dotted` for those of the form first.last, which tells a person at sight."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    made = (
        (f"person.{a}{b}{c}" for a in ("", *letters) for b in letters for c in letters)
        if dotted
        else (f"person-{number:02d}" for number in range(1, 100_000))
    )
    return (name for name in made if name not in taken)


def is_dotted(name: str) -> bool:
    return _DOTTED.fullmatch(name) is not None


def words(names: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern that finds each of `names` as a word or as a part of a compound, in any case of letters."""
    by_first: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda one: (-len(one), one)):
        by_first.setdefault(name[0].lower(), []).append(re.escape(name[1:]))
    if not by_first:
        return None
    choices = "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in sorted(by_first.items()))
    return re.compile(rf"{BEGIN}(?:{choices})(?![A-Za-z0-9])", re.IGNORECASE)
