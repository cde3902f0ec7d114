"""Reading other accounts and regions: one budget, evidence that says where it came from, gaps where no way leads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.cloudtrail import Changes, joined
from tools.cloudtrail_people import resolve_people
from tools.errors import BudgetSpent, NoCredentials, Unavailable
from tools.evidence import MemoryStore
from tools.models import Actor, ChangeEvent, Json
from tools.spaces import NO_SPACE, NO_WAY_IN, Space, by_account, shut, way_in
from tools.topology import around
from tools.transport import WireAnswer, WireRequest

OWN, OTHER, THIRD = "111122223333", "444455556666", "777788889999"
NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)


@dataclass
class Echo:
    """Answers GetCallerIdentity with whoever is asked, and keeps what it was asked."""

    virtual: bool = True
    asked: list[WireRequest] = field(default_factory=list)

    def start(self) -> datetime | None:
        return NOW

    def send(self, request: WireRequest) -> WireAnswer:
        self.asked.append(request)
        account = request.account or OWN
        body = (
            f"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{account}</Account>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/r/opsleuth</Arn><UserId>x</UserId></GetCallerIdentityResult>"
            "</GetCallerIdentityResponse>"
        )
        if request.service != "sts":
            body = json.dumps({"TableNames": [account, request.region]})
        return WireAnswer(status=200, headers={}, body=body.encode(), protocol=request.protocol)

    def close(self) -> None:
        pass


def _aws(transport: Echo, *spaces: Space, calls: int = 50) -> Aws:
    clock, budget = VirtualClock(NOW), Budget(Limits(calls=calls))
    return Aws(Account(region="eu-west-1"), transport, clock, budget, MemoryStore(), spaces=spaces)


def _identified(transport: Echo, *spaces: Space, calls: int = 50) -> Reader:
    aws = _aws(transport, *spaces, calls=calls)
    reader = Reader(aws=aws, letter="T")
    aws.identify(reader)
    return reader


# -- Aws and Reader ---------------------------------------------------------------------------------


def test_a_request_carries_the_account_that_is_asked_and_its_evidence_says_so() -> None:
    echo = Echo()
    reader = _identified(echo, Space(account=OTHER))
    there = reader.at(OTHER, "us-east-1")
    assert there.ask("dynamodb", "ListTables").data["TableNames"] == [OTHER, "us-east-1"]
    assert reader.ask("dynamodb", "ListTables").data["TableNames"] == [OWN, "eu-west-1"]
    assert reader.ask("dynamodb", "ListTables", account=OTHER).data["TableNames"] == [OTHER, "eu-west-1"]
    assert [(one.id, one.account, one.region) for one in reader.evidence] == [
        ("T1", "", "eu-west-1"),  # who that was, this very question told
        ("T2", OTHER, "us-east-1"),
        ("T3", OWN, "eu-west-1"),
        ("T4", OTHER, "eu-west-1"),
    ]
    cited = reader.cite("T2", "a part")
    assert reader.evidence[-1].id == cited
    assert reader.evidence[-1].account == OTHER


def test_the_run_s_own_account_is_asked_as_before_whatever_spaces_there_are() -> None:
    echoes = Echo(), Echo()
    for echo, spaces in zip(echoes, ((), (Space(account=OTHER),)), strict=True):
        _identified(echo, *spaces).ask("dynamodb", "ListTables")
    first, second = (
        [(one.account, one.region, one.operation, one.url, one.body) for one in echo.asked] for echo in echoes
    )
    assert first == second


def test_the_own_account_and_region_are_the_same_reader() -> None:
    reader = _identified(Echo(), Space(account=OTHER))
    assert reader.at() is reader
    assert reader.at(OWN, "eu-west-1") is reader
    assert reader.at("aws", "eu-west-1") is reader
    assert reader.at(OTHER).at(OWN).aws is reader.aws
    assert reader.at(OTHER).aws.own_account == OWN
    assert reader.at("", "us-east-1").region == "us-east-1"
    assert reader.at("", "us-east-1").aws.account == OWN


def test_what_is_looked_at_ends_at_one_moment_everywhere() -> None:
    reader = _identified(Echo(), Space(account=OTHER))
    there = reader.aws.at(OTHER)
    reader.aws.as_of = later = datetime(2026, 3, 13, 18, tzinfo=UTC)
    assert there.as_of == later


def test_the_budget_is_one_for_all_accounts() -> None:
    reader = _identified(Echo(), Space(account=OTHER), calls=2)
    reader.ask("dynamodb", "ListTables", account=OTHER)
    with pytest.raises(BudgetSpent):
        reader.ask("dynamodb", "ListTables")


def test_each_account_has_quotas_of_its_own() -> None:
    reader = _identified(Echo(), Space(account=OTHER))
    begin = reader.aws.clock.now()
    for _ in range(3):
        reader.ask("cloudtrail", "LookupEvents", account=OTHER)
    spent = (reader.aws.clock.now() - begin).total_seconds()
    assert spent == pytest.approx(2.0)
    reader.ask("cloudtrail", "LookupEvents")
    assert (reader.aws.clock.now() - begin).total_seconds() == pytest.approx(spent)


def test_without_a_space_nothing_is_asked() -> None:
    echo = Echo()
    reader = _identified(echo, Space(account=OTHER))
    with pytest.raises(Unavailable) as refused:
        reader.ask("dynamodb", "ListTables", account=THIRD)
    assert refused.value.gap.code == NO_SPACE
    assert f"account {THIRD} is not among the spaces" in refused.value.gap.why
    assert "spaces.toml" in refused.value.gap.lift
    assert {one.account for one in echo.asked} == {""}


def test_before_the_account_is_known_any_may_be_the_own_one() -> None:
    reader = Reader(aws=_aws(Echo()), letter="T")
    assert reader.at(OTHER) is reader


class Shut(Echo):
    """Nobody may sign in to the other account."""

    def send(self, request: WireRequest) -> WireAnswer:
        if request.account == OTHER:
            self.asked.append(request)
            raise NoCredentials("AccessDenied: not authorized to perform sts:AssumeRole")
        return super().send(request)


def test_a_role_that_cannot_be_taken_is_a_gap_and_is_tried_once() -> None:
    echo = Shut()
    reader = _identified(echo, Space(account=OTHER))
    for _ in range(3):
        with reader.seeing("their tables", "who else writes"):
            reader.ask("dynamodb", "ListTables", account=OTHER)
    assert [one.account for one in echo.asked].count(OTHER) == 1
    assert {gap.code for gap in reader.gaps} == {NO_WAY_IN}
    assert all("sts:AssumeRole" in gap.why and gap.what == "their tables" for gap in reader.gaps)
    assert reader.ask("dynamodb", "ListTables").data["TableNames"][0] == OWN


def test_the_run_s_own_credentials_still_end_it() -> None:
    class Closed(Echo):
        def send(self, request: WireRequest) -> WireAnswer:
            raise NoCredentials("none")

    with pytest.raises(NoCredentials):
        Reader(aws=_aws(Closed()), letter="T").ask("dynamodb", "ListTables")


# -- spaces -----------------------------------------------------------------------------------------


def test_a_region_that_the_space_does_not_name_is_not_looked_at() -> None:
    spaces = by_account([Space(account=OTHER, name="network", regions=("eu-west-1",))])
    assert way_in(spaces, OTHER, "eu-west-1").name == "network"
    assert way_in(spaces, OTHER, "us-east-1").name == "network"  # events of global services are there
    with pytest.raises(Unavailable) as refused:
        way_in(spaces, OTHER, "sa-east-1")
    assert "[network]" in refused.value.gap.lift


_REGIONS = st.lists(st.sampled_from(["eu-west-1", "us-west-2", "sa-east-1"]), max_size=3).map(tuple)


@given(st.lists(st.builds(Space, account=st.sampled_from([OTHER, THIRD]), regions=_REGIONS), max_size=5))
def test_spaces_of_one_account_open_all_their_regions(spaces: list[Space]) -> None:
    found = by_account(spaces)
    assert set(found) == {one.account for one in spaces}
    for one in spaces:
        for region in one.regions:
            assert way_in(found, one.account, region).account == one.account
        if not one.regions:
            assert way_in(found, one.account, "ca-west-1").account == one.account


def test_why_a_space_leads_nowhere_is_told() -> None:
    gap = shut(OTHER, "the profile net is of account 777788889999").gap
    assert OTHER in gap.why
    assert THIRD in gap.why


# -- topology ---------------------------------------------------------------------------------------

_SUBNET = "subnet-0a1b2c3d4e5f60718"
_TABLE = "rtb-0a1b2c3d4e5f60718"
_FUNCTION = f"arn:aws:lambda:eu-west-1:{OWN}:function:writer"


def _network(owner: str, *, way_out: bool) -> dict[tuple[str, str], Json]:
    routes = [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}] if way_out else []
    table = {
        "RouteTableId": _TABLE,
        "VpcId": "vpc-1",
        "OwnerId": owner,
        "Routes": routes,
        "Associations": [{"SubnetId": _SUBNET, "RouteTableId": _TABLE}],
    }
    subnet = {"SubnetId": _SUBNET, "VpcId": "vpc-1", "OwnerId": owner, "SubnetArn": "x"}
    return {
        ("ec2", "DescribeSubnets"): {"Subnets": [subnet]},
        ("ec2", "DescribeRouteTables"): {"RouteTables": [table]},
        ("ec2", "DescribeNetworkAcls"): {"NetworkAcls": []},
        ("ec2", "DescribeVpcs"): {"Vpcs": []},
    }


def _participant(others: dict[str, FakeAws]) -> FakeAws:
    configuration = {
        "FunctionName": "writer",
        "FunctionArn": _FUNCTION,
        "Role": f"arn:aws:iam::{OWN}:role/writer",
        "VpcConfig": {"SubnetIds": [_SUBNET], "SecurityGroupIds": [], "VpcId": "vpc-1"},
    }
    answers: dict[tuple[str, str], Json] = {
        ("lambda", "GetFunctionConfiguration"): configuration,
        ("lambda", "ListFunctions"): {"Functions": [configuration]},
        **_network(OTHER, way_out=False),
    }
    return FakeAws(answers, others=others)


def test_a_shared_subnet_and_its_routes_are_their_owner_s_and_read_there() -> None:
    owner = FakeAws(_network(OTHER, way_out=True), account=OTHER)
    own = _participant({OTHER: owner})
    found = around(own.reader(), [_FUNCTION])
    subnet = f"arn:aws:ec2:eu-west-1:{OTHER}:subnet/{_SUBNET}"
    table = f"arn:aws:ec2:eu-west-1:{OTHER}:route-table/{_TABLE}"
    ways = {(one.source, one.kind, one.target) for one in found.relations}
    assert {(_FUNCTION, "in", subnet), (subnet, "routed by", table)} <= ways
    assert not [one for one in found.resources if one.arn.startswith(f"arn:aws:ec2:eu-west-1:{OWN}:subnet")]
    known = found.by_arn(table)
    assert known is not None
    assert known.account == OTHER
    assert known.config["Routes"]
    assert ("ec2", "DescribeRouteTables") in owner.asked


def test_without_a_space_the_owner_s_routes_are_read_as_a_participant_sees_them() -> None:
    own = _participant({})
    found = around(own.reader(), [_FUNCTION])
    known = found.by_arn(f"arn:aws:ec2:eu-west-1:{OTHER}:route-table/{_TABLE}")
    assert known is not None
    assert known.config["Routes"] == []


def test_what_another_account_shows_nobody_is_a_gap_and_never_read_here() -> None:
    queue = f"arn:aws:sqs:eu-west-1:{OTHER}:jobs"
    own = FakeAws({})
    reader = own.reader()
    found = around(reader, [queue])
    assert [one.arn for one in found.resources] == [queue]
    assert found.resources[0].config == {}
    told = [gap for gap in reader.gaps if gap.code == NO_SPACE]
    assert any(OTHER in gap.why and gap.would_show for gap in told)
    assert ("sqs", "GetQueueAttributes") not in own.asked


# -- people -----------------------------------------------------------------------------------------

_KEY = "ASIAEXAMPLEEXAMPLE09"


def _taken(identity: Json, recipient: str) -> Json:
    record = {
        "eventVersion": "1.11",
        "eventID": f"e-{recipient}",
        "eventName": "AssumeRole",
        "eventSource": "sts.amazonaws.com",
        "eventTime": "2026-03-13T17:02:00Z",
        "eventType": "AwsApiCall",
        "awsRegion": "eu-west-1",
        "readOnly": True,
        "sourceIPAddress": "203.0.113.24",
        "userAgent": "aws-cli/2.27.41",
        "userIdentity": identity,
        "recipientAccountId": recipient,
        "requestParameters": {"roleArn": f"arn:aws:iam::{OWN}:role/admin", "roleSessionName": "s"},
        "responseElements": {"credentials": {"accessKeyId": _KEY}},
        "sharedEventID": "shared",
    }
    event = {"EventId": record["eventID"], "EventName": "AssumeRole", "CloudTrailEvent": json.dumps(record)}
    return {"Events": [event | {"EventTime": datetime(2026, 3, 13, 17, 2, tzinfo=UTC)}]}


def _changed() -> ChangeEvent:
    who = Actor(
        kind="role", name="admin", how="cli", role="admin", account=OWN, access_key_id=_KEY, mfa=False
    )
    return ChangeEvent(
        id="c",
        time=datetime(2026, 3, 13, 17, 12, tzinfo=UTC),
        source="iam.amazonaws.com",
        action="DeleteRolePolicy",
        operation="DeleteRolePolicy",
        region="us-east-1",
        account=OWN,
        actor=who,
        request={},
        response={},
        evidence=("T1",),
    )


_STRANGER = {"type": "AWSAccount", "principalId": "AIDAEXAMPLEEXAMPLE07", "accountId": OTHER}
_PERSON = {
    "type": "IAMUser",
    "principalId": "AIDAEXAMPLEEXAMPLE07",
    "arn": f"arn:aws:iam::{OTHER}:user/ops-07",
    "accountId": OTHER,
    "accessKeyId": "AKIAEXAMPLEEXAMPLE07",
    "userName": "ops-07",
}


def test_the_caller_of_another_account_is_named_by_that_account_s_history() -> None:
    owner = FakeAws({("cloudtrail", "LookupEvents"): _taken(_PERSON, OTHER)}, account=OTHER)
    own = FakeAws({("cloudtrail", "LookupEvents"): _taken(_STRANGER, OWN)}, others={OTHER: owner})
    found = resolve_people(own.reader(), _changed())
    assert (found.actor.kind, found.actor.name, found.actor.account) == ("iam_user", "ops-07", OTHER)
    assert (found.actor.role, found.actor.how) == ("admin", "cli")
    assert len(found.evidence) == 2


def test_without_a_space_the_caller_is_another_account_and_the_gap_says_what_it_would_show() -> None:
    own = FakeAws({("cloudtrail", "LookupEvents"): _taken(_STRANGER, OWN)})
    reader = own.reader()
    found = resolve_people(reader, _changed())
    assert (found.actor.kind, found.actor.name) == ("other_account", OTHER)
    (gap,) = [one for one in reader.gaps if one.code == NO_SPACE]
    assert f"which identity of account {OTHER}" in gap.would_show


def test_changes_of_several_places_are_one_sorted_list() -> None:
    def part(*ids: str) -> Changes:
        events = tuple(replace(_changed(), id=one) for one in ids)
        return Changes(
            events=events,
            denied_attempts=(),
            noise=(),
            complete=True,
            complete_until=NOW,
            truncated=ids,
            reads=1,
        )

    found = joined(part("b", "a"), [part("c"), part("a")])
    assert [one.id for one in found.events] == ["a", "b", "c"]
    assert found.reads == 3
    assert found.truncated == ("b", "a", "c", "a")
