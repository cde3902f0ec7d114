"""Roles and policies read all at once: the same as one by one, and one by one where AWS refuses the whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools.aws import Aws
from tools.models import Json, Resource
from tools.services.iam import describe, discover, gather
from tools.whole import Account, whole

_AT = "eu-west-1:111122223333"
_OURS = "arn:aws:iam::111122223333:policy/team/"
_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"
_START = "2026-01-01T00:00:00Z"
_ALL = ("iam", "GetAccountAuthorizationDetails")
_ONE_BY_ONE = ("GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "GetPolicyVersion")


def document(*targets: str) -> Json:
    return {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": list(targets)}]}


class Iam:
    """Roles (name -> inline policies, ARNs of attached ones) and customer managed policies (name -> versions)."""

    def __init__(
        self,
        roles: dict[str, tuple[dict[str, Json], list[str]]],
        policies: dict[str, list[Json]],
        page: int = 2,
    ) -> None:
        self.roles, self.policies, self.page = roles, policies, page

    def role(self, name: str) -> Json:
        return {
            "Path": "/app/",
            "RoleName": name,
            "RoleId": "AROAEXAMPLEEXAMPLE07",
            "Arn": f"arn:aws:iam::111122223333:role/app/{name}",
            "CreateDate": _START,
            "AssumeRolePolicyDocument": json.dumps(document()),
        }

    def shown(self, name: str) -> Json:
        """What GetRole tells, and the listing of all."""
        boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": _AWS}
        return {**self.role(name), "PermissionsBoundary": boundary, "Tags": [{"Key": "app", "Value": name}]}

    def listed(self, name: str) -> Json:
        """What ListRoles tells."""
        return {**self.role(name), "Description": f"of {name}", "MaxSessionDuration": 3600}

    def attached(self, name: str) -> list[Json]:
        return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in self.roles[name][1]]

    def details(self, sent: Json) -> Json:
        if sent["Filter"] == ["Role"]:
            return self.paged(sent, "RoleDetailList", [self.detail(name) for name in sorted(self.roles)])
        assert sent["Filter"] == ["LocalManagedPolicy"]
        return self.paged(sent, "Policies", [self.managed(name) for name in sorted(self.policies)])

    def detail(self, name: str) -> Json:
        inline = self.roles[name][0].items()
        return {
            **self.shown(name),
            "RolePolicyList": [
                {"PolicyName": one, "PolicyDocument": json.dumps(said)} for one, said in inline
            ],
            "AttachedManagedPolicies": self.attached(name),
            "InstanceProfileList": [],
        }

    def managed(self, name: str) -> Json:
        versions = [
            {"VersionId": f"v{number}", "Document": json.dumps(one), "IsDefaultVersion": number == 1}
            for number, one in enumerate(self.policies[name], start=1)
        ]
        return {"Arn": _OURS + name, "DefaultVersionId": "v1", "PolicyVersionList": versions[::-1]}

    def paged(self, sent: Json, member: str, items: list[Json]) -> Json:
        start = int(sent.get("Marker", 0))
        more = start + self.page < len(items)
        told: Json = {member: items[start : start + self.page], "IsTruncated": more}
        return {**told, "Marker": str(start + self.page)} if more else told

    def answers(self) -> dict[tuple[str, str], Answer]:
        def known(answer: Any) -> Any:
            return lambda sent: answer(sent["RoleName"]) if sent["RoleName"] in self.roles else None

        def inline(sent: Json) -> Json:
            name, policy = sent["RoleName"], sent["PolicyName"]
            said = self.roles[name][0][policy]
            return {"RoleName": name, "PolicyName": policy, "PolicyDocument": json.dumps(said)}

        def version(sent: Json) -> Json:
            said = self.policies[sent["PolicyArn"].removeprefix(_OURS)][int(sent["VersionId"][1:]) - 1]
            return {"PolicyVersion": {"Document": json.dumps(said), "VersionId": sent["VersionId"]}}

        return {
            ("iam", "ListRoles"): {"Roles": [self.listed(name) for name in sorted(self.roles)]},
            ("iam", "GetRole"): known(lambda name: {"Role": {**self.listed(name), **self.shown(name)}}),
            ("iam", "ListRolePolicies"): known(lambda name: {"PolicyNames": list(self.roles[name][0])}),
            ("iam", "GetRolePolicy"): inline,
            ("iam", "ListAttachedRolePolicies"): known(
                lambda name: {"AttachedPolicies": self.attached(name)}
            ),
            ("iam", "GetPolicy"): {"Policy": {"DefaultVersionId": "v1"}},
            ("iam", "GetPolicyVersion"): version,
            _ALL: self.details,
        }


_DOCUMENTS = st.lists(st.sampled_from(["*", f"arn:aws:sqs:{_AT}:orders"]), max_size=2).map(
    lambda some: document(*some)
)
_NAMES = st.text("abcxyz", min_size=1, max_size=3)


@given(
    policies=st.dictionaries(_NAMES, st.lists(_DOCUMENTS, min_size=1, max_size=3), max_size=4),
    roles=st.dictionaries(
        _NAMES, st.tuples(st.dictionaries(_NAMES, _DOCUMENTS, max_size=3), st.booleans()), max_size=5
    ),
    page=st.integers(1, 4),
)
def test_all_at_once_tells_what_one_by_one_tells(
    policies: dict[str, list[Json]], roles: dict[str, tuple[dict[str, Json], bool]], page: int
) -> None:
    attached = [_AWS, *(_OURS + name for name in policies)]
    made = {name: (inline, attached if some else []) for name, (inline, some) in roles.items()}
    aws = FakeAws(Iam(made, policies, page).answers())
    known = list(discover(aws.reader(), "eu-west-1"))
    known += [
        Resource(arn=arn, service="iam", type="policy", name=arn[-1:], account="111122223333", region="")
        for arn in attached[1:]
    ]
    reader = aws.reader()
    found = list(gather(reader, known))
    assert [one.arn for one in found] == [one.arn for one in known]
    ids = {one.id for one in reader.evidence}
    for one in found:
        alone = describe(aws.reader(), one.arn)
        assert alone is not None
        assert one.evidence
        assert set(one.evidence) <= ids
        assert replace(one, evidence=()) == replace(alone, evidence=())


def function(number: int) -> Json:
    return {
        "FunctionName": f"worker-{number}",
        "FunctionArn": f"arn:aws:lambda:{_AT}:function:worker-{number}",
        "Role": f"arn:aws:iam::111122223333:role/app/worker-{number}",
    }


def account(roles: int, denied: tuple[str, ...] = (), gone: int = 0) -> tuple[FakeAws, Account]:
    """Functions with a role each, of which the last `gone` are no longer there."""
    queue = f"arn:aws:sqs:{_AT}:orders"
    held = {
        f"worker-{number}": ({"own": document(queue)}, [f"{_OURS}base"]) for number in range(roles - gone)
    }
    answers = Iam(held, {"base": [document("*")]}, 100).answers()
    answers["lambda", "ListFunctions"] = {"Functions": [function(number) for number in range(roles)]}
    aws = FakeAws(answers, denied=frozenset(denied))
    return aws, whole(cast(Aws, aws), ["eu-west-1"])


def asked_of_roles(aws: FakeAws) -> int:
    return sum(aws.asked.count(("iam", operation)) for operation in _ONE_BY_ONE[:4])


def facts(read: Account) -> set[tuple[str, str, str, str, float]]:
    return {
        (one.source, one.target, one.kind, one.provenance, one.confidence) for one in read.topology.relations
    }


@pytest.mark.parametrize(("roles", "at_once", "alone"), [(9, 0, 36), (10, 2, 0), (60, 2, 0)])
def test_many_roles_are_read_in_few_answers(roles: int, at_once: int, alone: int) -> None:
    aws, read = account(roles)
    assert aws.asked.count(_ALL) == at_once
    assert asked_of_roles(aws) == alone
    assert (
        len([one for one in facts(read) if one[2] == "may write"]) == 2 * roles
    )  # of the function, of its role


def test_where_all_at_once_is_refused_each_is_asked_for() -> None:
    allowed, granted = account(20)
    refused, alone = account(20, ("iam:GetAccountAuthorizationDetails",))
    assert asked_of_roles(allowed) == 0
    assert asked_of_roles(refused) == 80
    assert facts(alone) == facts(granted)
    assert {gap.what for gap in alone.gaps} == {gap.what for gap in granted.gaps}


def test_where_each_is_refused_too_there_is_a_gap() -> None:
    _, read = account(20, ("iam:GetAccountAuthorizationDetails", "iam:GetRole"))
    (gap,) = [gap for gap in read.gaps if gap.what == "IAM (20 times)"]
    assert gap.code == "AccessDenied"
    assert not [one for one in facts(read) if one[2] == "may write"]


def test_what_all_at_once_does_not_tell_is_asked_for_alone() -> None:
    aws, read = account(20, gone=3)
    assert aws.asked.count(("iam", "GetRole")) == 3
    assert len([one for one in facts(read) if one[2] == "runs as"]) == 20
