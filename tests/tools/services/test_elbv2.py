"""Load balancers: what is read and related, whom a metric means, and that undoing restores what was there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import xform_name
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current, requested, same
from tools.models import Actor, Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.elbv2 import (
    SERVICE,
    balancer_of,
    describe,
    dimensions,
    discover,
    forwarded,
    listener_of,
    owner,
    relations,
)
from tools.topology import around

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
AT = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
EC2 = "arn:aws:ec2:eu-west-1:111122223333"
WEB = f"{AT}:loadbalancer/app/web/50dc6c495c0c9188"
NET = f"{AT}:loadbalancer/net/tcp/50dc6c495c0c9188"
HTTP = f"{AT}:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE = f"{AT}:listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
BLUE = f"{AT}:targetgroup/web/73e2d6bc24d8a067"
GREEN = f"{AT}:targetgroup/next/943f017f100becff"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:web"

BALANCER: Json = {
    "LoadBalancerArn": WEB,
    "LoadBalancerName": "web",
    "DNSName": "web-1234567890.eu-west-1.elb.amazonaws.com",
    "CreatedTime": AS_OF,
    "Type": "application",
    "State": {"Code": "active"},
    "SecurityGroups": ["sg-web"],
    "AvailabilityZones": [
        {"ZoneName": "eu-west-1a", "SubnetId": "subnet-a"},
        {"ZoneName": "eu-west-1b", "SubnetId": "subnet-b"},
    ],
}
LISTENER: Json = {
    "ListenerArn": HTTP,
    "LoadBalancerArn": WEB,
    "Port": 80,
    "Protocol": "HTTP",
    "DefaultActions": [{"Type": "forward", "TargetGroupArn": BLUE}],
}
RULES: Json = {
    "Rules": [
        {
            "RuleArn": RULE,
            "Priority": "10",
            "Conditions": [{"Field": "path-pattern", "Values": ["/next/*"]}],
            "Actions": [
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [
                            {"TargetGroupArn": GREEN, "Weight": 1},
                            {"TargetGroupArn": f"{AT}:targetgroup/off/0000000000000000", "Weight": 0},
                        ]
                    },
                }
            ],
        }
    ]
}


def group(arn: str = BLUE, **changed: Any) -> Json:
    return {
        "TargetGroupArn": arn,
        "TargetGroupName": arn.split("/")[1],
        "Protocol": "HTTP",
        "Port": 8080,
        "TargetType": "instance",
        "HealthCheckPath": "/healthz",
        "HealthCheckIntervalSeconds": 30,
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [WEB],
        **changed,
    }


def health(*ids: str) -> Json:
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": id, "Port": 8080},
                "TargetHealth": {
                    "State": "unhealthy",
                    "Reason": "Target.ResponseCodeMismatch",
                    "Description": "Health checks failed with these codes: [404]",
                },
            }
            for id in ids
        ]
    }


def answers(**more: Answer) -> dict[tuple[str, str], Answer]:
    made: dict[str, Answer] = {
        "DescribeLoadBalancers": {"LoadBalancers": [BALANCER]},
        "DescribeTargetGroups": {"TargetGroups": [group()]},
        "DescribeListeners": {"Listeners": [LISTENER]},
        "DescribeRules": RULES,
        "DescribeLoadBalancerAttributes": {
            "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]
        },
        "DescribeTargetGroupAttributes": {
            "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]
        },
        "DescribeTargetHealth": health("i-0a1", "i-0a1", "i-0b2"),
        "DescribeTags": {
            "TagDescriptions": [{"ResourceArn": WEB, "Tags": [{"Key": "team", "Value": "shop"}]}]
        },
    }
    return {("elbv2", name): answer for name, answer in {**made, **more}.items()}


def read(arn: str, **more: Answer) -> Resource:
    found = describe(FakeAws(answers(**more)).reader(), arn)
    assert found is not None
    return found


@cache
def known(arn: str) -> Resource:
    """As `read` finds it; read once."""
    return read(arn)


def related(resource: Resource, *others: Resource) -> set[tuple[str, str, str]]:
    found: list[Relation] = list(relations(resource, KnownResources([resource, *others])))
    assert all(one.evidence and one.provenance.startswith("elasticloadbalancing:") for one in found)
    return {(one.source, one.kind, one.target) for one in found}


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def happened(
    operation: str, request: Json, *, minutes: float = 0, response: Json | None = None
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="elasticloadbalancing.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
        evidence=("F1",),
    )


# -- reading and relations ----------------------------------------------------------------------------


def test_a_load_balancer_is_read_with_its_attributes_listeners_and_groups() -> None:
    found = read(WEB)
    assert (found.type, found.name, found.tags) == ("load-balancer", "web", {"team": "shop"})
    assert found.config["Attributes"] == {"idle_timeout.timeout_seconds": "60"}
    assert current(found, setting('Attributes."idle_timeout.timeout_seconds"')) == "60"
    assert related(found) == {
        (WEB, "listens on", HTTP),
        (WEB, "forwards to", BLUE),
        (WEB, "guarded by", f"{EC2}:security-group/sg-web"),
        (WEB, "in", f"{EC2}:subnet/subnet-a"),
        (WEB, "in", f"{EC2}:subnet/subnet-b"),
    }


def test_a_listener_forwards_by_default_and_by_rule_but_not_with_weight_0() -> None:
    found = read(HTTP)
    assert (found.type, found.name) == ("listener", "web:80")
    assert related(found) == {
        (WEB, "listens on", HTTP),
        (HTTP, "forwards to", BLUE),
        (HTTP, "forwards to", GREEN),
    }


def test_a_rule_is_read_by_itself() -> None:
    found = read(RULE)
    assert (found.type, found.name, found.config["Priority"]) == (
        "listener-rule",
        f"web rule {found.arn.rpartition('/')[2]}",
        "10",
    )


def test_a_target_group_targets_each_instance_once() -> None:
    found = read(BLUE)
    assert found.config["TargetHealth"][0]["TargetHealth"]["Reason"] == "Target.ResponseCodeMismatch"
    assert related(found) == {
        (WEB, "forwards to", BLUE),
        (BLUE, "targets", f"{EC2}:instance/i-0a1"),
        (BLUE, "targets", f"{EC2}:instance/i-0b2"),
    }


@pytest.mark.parametrize(
    ("target", "kind", "expected"),
    [
        (f"{FUNCTION}:live", "lambda", [FUNCTION]),
        (FUNCTION, "lambda", [FUNCTION]),
        (WEB, "alb", [WEB]),
        ("10.0.1.7", "ip", []),
    ],
)
def test_targets_of_every_kind(target: str, kind: str, expected: list[str]) -> None:
    found = read(
        BLUE,
        DescribeTargetGroups={"TargetGroups": [group(TargetType=kind, LoadBalancerArns=[])]},
        DescribeTargetHealth=health(target),
    )
    assert sorted(one for _, kind, one in related(found) if kind == "targets") == expected


def test_what_is_gone_is_none_and_what_is_refused_a_gap() -> None:
    assert describe(FakeAws(answers(DescribeTargetGroups={"TargetGroups": []})).reader(), BLUE) is None
    assert describe(FakeAws({}).reader(), WEB) is None
    reader = FakeAws(answers(), denied=frozenset({"elbv2:DescribeTargetHealth"})).reader()
    found = describe(reader, BLUE)
    assert found is not None
    assert "TargetHealth" not in found.config
    assert [gap.what for gap in reader.gaps] == ["Health of targets"]


def test_listing_tells_balancers_and_groups() -> None:
    asked = FakeAws(answers())
    assert [(one.type, one.arn) for one in discover(asked.reader(), "eu-west-1")] == [
        ("load-balancer", WEB),
        ("target-group", BLUE),
    ]
    assert len(asked.asked) == 2


def test_from_a_balancer_the_map_reaches_instances() -> None:
    def groups(sent: Json) -> Json:
        return {"TargetGroups": [group(arn) for arn in sent.get("TargetGroupArns", [BLUE])]}

    found = around(FakeAws(answers(DescribeTargetGroups=groups)).reader(), [WEB])
    names = {(one.source, one.kind, one.target) for one in found.relations}
    assert {
        (WEB, "listens on", HTTP),
        (HTTP, "forwards to", BLUE),
        (HTTP, "forwards to", GREEN),
        (BLUE, "targets", f"{EC2}:instance/i-0a1"),
    } <= names


def test_a_host_name_means_the_load_balancer() -> None:
    directory = KnownResources([read(WEB)])
    assert [
        one.arn for one in directory.mentioned("http://web-1234567890.eu-west-1.elb.amazonaws.com/x")
    ] == [WEB]


@given(st.lists(st.sampled_from([0, 1, 100, None]), max_size=4))
def test_only_groups_that_get_requests_are_forwarded_to(weights: list[int | None]) -> None:
    arns = [f"{AT}:targetgroup/g{number}/0123456789abcdef" for number in range(len(weights))]
    pairs = [
        {"TargetGroupArn": arn, **({} if weight is None else {"Weight": weight})}
        for arn, weight in zip(arns, weights, strict=True)
    ]
    expected = tuple(arn for arn, weight in zip(arns, weights, strict=True) if weight != 0)
    assert forwarded([{"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}]) == expected


# -- names and metrics --------------------------------------------------------------------------------


def test_parts_know_what_they_belong_to() -> None:
    assert (listener_of(RULE), balancer_of(RULE), balancer_of(HTTP)) == (HTTP, WEB, WEB)
    assert balancer_of(WEB) == balancer_of(BLUE) == ""
    assert catalogue.owner_arn(RULE) == catalogue.owner_arn(HTTP) == WEB
    assert [catalogue.type_of(one) for one in (WEB, HTTP, RULE, BLUE)] == [
        "load-balancer",
        "listener",
        "listener-rule",
        "target-group",
    ]


_ID = st.text("0123456789abcdef", min_size=16, max_size=16)
_NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,30}", fullmatch=True)


@given(kind=st.sampled_from(["app", "net"]), name=_NAME, id=_ID, other=_NAME, zone=st.booleans())
def test_dimensions_lead_back_to_their_resource(
    kind: str, name: str, id: str, other: str, zone: bool
) -> None:
    balancer = replace(known(WEB), arn=f"{AT}:loadbalancer/{kind}/{name}/{id}")
    own = replace(
        known(BLUE), arn=f"{AT}:targetgroup/{other}/{id}", config={"LoadBalancerArns": [balancer.arn]}
    )
    for resource in (balancer, own):
        found = dict(dimensions(resource)) | ({"AvailabilityZone": "eu-west-1a"} if zone else {})
        assert list(found) == sorted(found) or zone
        assert owner(found, "aws", "eu-west-1", "111122223333") == resource.arn


def test_dimensions_have_the_form_that_cloudwatch_uses() -> None:
    assert dimensions(read(WEB)) == (("LoadBalancer", "app/web/50dc6c495c0c9188"),)
    assert dimensions(read(BLUE)) == (
        ("LoadBalancer", "app/web/50dc6c495c0c9188"),
        ("TargetGroup", "targetgroup/web/73e2d6bc24d8a067"),
    )
    assert dimensions(replace(read(BLUE), config={"LoadBalancerArns": []})) == ()
    assert dimensions(read(HTTP)) == ()


def test_a_metric_with_both_dimensions_is_the_target_groups() -> None:
    directory = KnownResources([read(WEB), read(BLUE)])
    both = dict(dimensions(read(BLUE)))
    assert directory.measured("AWS/ApplicationELB", both, "eu-west-1") == BLUE
    alone = {"LoadBalancer": "app/web/50dc6c495c0c9188"}
    assert directory.measured("AWS/ApplicationELB", alone, "eu-west-1") == WEB
    assert (
        catalogue.owner_of(
            "AWS/NetworkELB", {"LoadBalancer": "net/tcp/50dc6c495c0c9188"}, "eu-west-1", "111122223333"
        )
        == NET
    )


def test_network_and_application_balancers_have_metrics_of_their_own() -> None:
    def named(resource: Resource) -> set[str]:
        return {
            f"{SERVICE.namespace_of(spec)} {spec.name}"
            for spec in SERVICE.metrics
            if spec.type == resource.type and spec.where is not None and spec.where(resource)
        }

    application, network = named(read(WEB)), named(replace(read(WEB), arn=NET))
    assert "AWS/ApplicationELB HTTPCode_ELB_5XX_Count" in application
    assert "AWS/NetworkELB NewFlowCount" in network
    assert {one.split()[0] for one in application} == {"AWS/ApplicationELB"}
    assert {one.split()[0] for one in network} == {"AWS/NetworkELB"}
    behind = replace(read(BLUE), config={**read(BLUE).config, "LoadBalancerArns": [NET]})
    assert named(behind) == {"AWS/NetworkELB UnHealthyHostCount", "AWS/NetworkELB HealthyHostCount"}


# -- settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sent", "back"),
    [
        ("HealthCheckPath", {"healthCheckPath": "/healthz"}, {"HealthCheckPath": "/healthz"}),
        ("Matcher.HttpCode", {"matcher": {"httpCode": "200-299"}}, {"Matcher": {"HttpCode": "200-299"}}),
        ("HealthCheckTimeoutSeconds", {"healthCheckTimeoutSeconds": 5}, {"HealthCheckTimeoutSeconds": 5}),
        ("HealthCheckEnabled", {"healthCheckEnabled": False}, {"HealthCheckEnabled": False}),
    ],
)
def test_a_health_check_goes_back_alone(path: str, sent: Json, back: Json) -> None:
    event = happened("ModifyTargetGroup", {"targetGroupArn": BLUE, **sent})
    found, value = requested(event, setting(path))
    assert found
    (made,) = setting(path).restore(read(BLUE), value)
    assert made.parameters == {"TargetGroupArn": BLUE, **back}
    assert validate(made) == ()


@pytest.mark.parametrize("key", ["idle_timeout.timeout_seconds", "routing.http.desync_mitigation_mode"])
def test_an_attribute_is_found_in_the_request_and_put_back(key: str) -> None:
    sent = [{"key": "deletion_protection.enabled", "value": "true"}, {"key": key, "value": "7"}]
    event = happened("ModifyLoadBalancerAttributes", {"loadBalancerArn": WEB, "attributes": sent})
    path = setting(f'Attributes."{key}"')
    assert requested(event, path) == (True, "7")
    (made,) = path.restore(read(WEB), "60")
    assert made.parameters == {"LoadBalancerArn": WEB, "Attributes": [{"Key": key, "Value": "60"}]}
    other = happened("ModifyLoadBalancerAttributes", {"loadBalancerArn": WEB, "attributes": sent[:1]})
    assert requested(other, path) == (False, None)


def test_security_groups_and_subnets_go_back_as_lists() -> None:
    event = happened("SetSecurityGroups", {"loadBalancerArn": WEB, "securityGroups": ["sg-web"]})
    groups = setting("SecurityGroups")
    value = requested(event, groups)[1]
    assert same(value, current(read(WEB), groups), groups)
    assert groups.restore(read(WEB), value)[0].parameters["SecurityGroups"] == ["sg-web"]
    subnets = setting("AvailabilityZones[].SubnetId")
    value = current(read(WEB), subnets)
    assert subnets.restore(read(WEB), value)[0].parameters["Subnets"] == ["subnet-a", "subnet-b"]


def test_subnets_with_addresses_of_their_own_are_not_set_by_a_plain_list() -> None:
    zones = [{"SubnetId": "subnet-a", "LoadBalancerAddresses": [{"AllocationId": "eipalloc-1"}]}]
    fixed = replace(read(WEB), config={**BALANCER, "AvailabilityZones": zones})
    assert setting("AvailabilityZones[].SubnetId").restore(fixed, '["subnet-a"]') == ()


@given(
    path=st.sampled_from([one.path for one in SERVICE.settings]),
    value=st.one_of(st.none(), st.integers(5, 10), st.text("ab/[]", max_size=8), st.booleans()),
)
def test_restoring_makes_valid_calls_or_says_what_is_wrong(path: str, value: Value) -> None:
    resource = known(WEB) if setting(path).type == "load-balancer" else known(BLUE)
    try:
        made = setting(path).restore(resource, value)
    except ValueError:
        assert value is None or isinstance(value, str | bool)
        return
    assert all(validate(one) == () for one in made)


# -- undoing, on an emulated account ------------------------------------------------------------------


def lower(value: Any) -> Any:
    """boto3's spelling as CloudTrail spells it."""
    if isinstance(value, dict):
        return {
            key[0].lower() + key[1:]: lower(one) for key, one in value.items() if key != "ResponseMetadata"
        }
    return [lower(one) for one in value] if isinstance(value, list) else value


class Account:
    """An emulated account whose calls are remembered as CloudTrail records them, newest first."""

    def __init__(self) -> None:
        ec2 = boto3.client("ec2", region_name="eu-west-1")
        self.client = boto3.client("elbv2", region_name="eu-west-1")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")
            for number, zone in enumerate("ab")
        ]
        self.events: list[ChangeEvent] = []
        self.balancer = self.do(
            "CreateLoadBalancer", Name="web", Subnets=[one["Subnet"]["SubnetId"] for one in subnets]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        self.groups = [
            self.do("CreateTargetGroup", Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
                "TargetGroupArn"
            ]
            for name in ("blue", "green")
        ]
        self.listener = self.do(
            "CreateListener",
            LoadBalancerArn=self.balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.groups[0]}],
        )["Listeners"][0]["ListenerArn"]

    def do(self, operation: str, **sent: Any) -> Any:
        answer = getattr(self.client, xform_name(operation))(**sent)
        made = happened(operation, lower(sent), minutes=len(self.events), response=lower(answer))
        self.events.insert(0, made)
        return answer

    def rule(self, priority: int = 10) -> str:
        made = self.do(
            "CreateRule",
            ListenerArn=self.listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": ["/next/*"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": self.groups[1]}],
        )
        return str(made["Rules"][0]["RuleArn"])

    def state(self) -> Json:
        """Listeners and rules, without the ARNs that a new one has anew."""
        listeners = self.client.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        rules = [
            {key: value for key, value in rule.items() if key != "RuleArn"}
            for one in listeners
            for rule in self.client.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
        ]
        return {
            "listeners": [
                {key: value for key, value in one.items() if key != "ListenerArn"} for one in listeners
            ],
            "rules": sorted(rules, key=lambda rule: rule["Priority"]),
        }

    def undo(self) -> tuple[Call, ...]:
        event, *earlier = self.events
        change = catalogue.change_of(event)
        assert change is not None
        assert change.undo is not None
        made = change.undo(event, tuple(earlier))
        assert all(validate(one) == () for one in made)
        return made

    def apply(self, calls: tuple[Call, ...]) -> None:
        for one in calls:
            getattr(self.client, xform_name(one.operation))(**one.parameters)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Account()


def test_a_listener_goes_back_to_its_default_actions(account: Account) -> None:
    before = account.state()
    account.do(
        "ModifyListener",
        ListenerArn=account.listener,
        DefaultActions=[
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain"},
            }
        ],
    )
    assert account.state() != before
    account.apply(account.undo())
    assert account.state() == before


def test_a_rule_goes_back_to_its_actions_and_conditions(account: Account) -> None:
    rule = account.rule()
    before = account.state()
    account.do(
        "ModifyRule",
        RuleArn=rule,
        Actions=[{"Type": "forward", "TargetGroupArn": account.groups[0]}],
        Conditions=[{"Field": "path-pattern", "Values": ["/nowhere/*"]}],
    )
    assert account.state() != before
    account.apply(account.undo())
    assert account.state() == before


def test_a_deleted_rule_comes_back_with_its_priority(account: Account) -> None:
    rule = account.rule(30)
    account.do("ModifyRule", RuleArn=rule, Conditions=[{"Field": "path-pattern", "Values": ["/later/*"]}])
    before = account.state()
    account.do("DeleteRule", RuleArn=rule)
    assert account.state() != before
    account.apply(account.undo())
    assert account.state() == before


def test_a_new_rule_is_deleted(account: Account) -> None:
    before = account.state()
    account.rule()
    account.apply(account.undo())
    assert account.state() == before


def test_priorities_go_back_together_or_not_at_all(account: Account) -> None:
    first, second = account.rule(10), account.rule(20)
    before = account.state()
    account.do(
        "SetRulePriorities",
        RulePriorities=[{"RuleArn": first, "Priority": 50}, {"RuleArn": second, "Priority": 5}],
    )
    calls = account.undo()
    account.apply(calls)
    assert account.state() == before
    account.events = [one for one in account.events if one.operation != "CreateRule"]
    assert account.undo() == ()


def test_a_deleted_listener_comes_back_only_when_nothing_else_went_with_it(account: Account) -> None:
    before = account.state()
    account.do("DeleteListener", ListenerArn=account.listener)
    account.apply(account.undo())
    assert account.state() == before
    account.events.insert(
        1,
        happened(
            "CreateRule",
            {},
            response={
                "rules": [
                    {
                        "ruleArn": account.listener.replace(":listener/", ":listener-rule/")
                        + "/9683b2d02a6cabee"
                    }
                ]
            },
        ),
    )
    assert account.undo() == ()


def test_what_was_before_the_history_is_not_guessed(account: Account) -> None:
    rule = account.rule()
    account.do("ModifyRule", RuleArn=rule, Actions=[{"Type": "forward", "TargetGroupArn": account.groups[0]}])
    account.events = account.events[:1]
    assert account.undo() == ()
    account.do("DeleteRule", RuleArn=rule)
    account.events = account.events[:1]
    assert account.undo() == ()


def test_targets_are_registered_and_deregistered_as_they_were() -> None:
    targets = [{"id": "i-0a1", "port": 8080}, {"id": "i-0b2"}]
    for operation, opposite in (
        ("DeregisterTargets", "RegisterTargets"),
        ("RegisterTargets", "DeregisterTargets"),
    ):
        event = happened(operation, {"targetGroupArn": BLUE, "targets": targets})
        change = catalogue.change_of(event)
        assert change is not None
        assert change.undo is not None
        (made,) = change.undo(event, ())
        assert (made.operation, made.parameters) == (
            opposite,
            {"TargetGroupArn": BLUE, "Targets": [{"Id": "i-0a1", "Port": 8080}, {"Id": "i-0b2"}]},
        )


def test_going_back_to_tls_brings_its_certificate_and_policy() -> None:
    secure = {
        "listenerArn": HTTP,
        "loadBalancerArn": WEB,
        "port": 443,
        "protocol": "HTTPS",
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificates": [{"certificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/2a7d"}],
        "defaultActions": [{"type": "forward", "targetGroupArn": BLUE}],
    }
    made_so = happened("CreateListener", {}, minutes=-900, response={"listeners": [secure]})
    event = happened("ModifyListener", {"listenerArn": HTTP, "protocol": "HTTP", "port": 80})
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    (made,) = change.undo(event, (made_so,))
    assert validate(made) == ()
    assert made.parameters == {
        "ListenerArn": HTTP,
        "Protocol": "HTTPS",
        "Port": 443,
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Certificates": [{"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/2a7d"}],
    }


def test_a_rule_touches_its_listener_and_balancer_too() -> None:
    event = happened("SetRulePriorities", {"rulePriorities": [{"ruleArn": RULE, "priority": 5}]})
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == (RULE, HTTP, WEB)


def _rules(*priorities: str) -> Json:
    rules = [
        {"RuleArn": f"{RULE[:-2]}{number:02d}", "Priority": one} for number, one in enumerate(priorities)
    ]
    return {"Rules": rules}


def test_a_rule_is_told_with_the_numbers_that_the_others_have() -> None:
    shown = _rules("10", "40", "default")
    found = read(shown["Rules"][1]["RuleArn"], DescribeRules=shown)
    assert (found.config["Priority"], found.config["Taken"]) == ("40", ["10"])
    gone = f"{RULE[:-2]}77"
    assert describe(FakeAws(answers(DescribeRules=shown)).reader(), gone) is None


@given(st.integers(1, 50_000), st.sets(st.integers(1, 50_000), max_size=5))
def test_a_priority_goes_back_as_a_number_that_is_free(wanted: int, taken: set[int]) -> None:
    setting = next(one for one in SERVICE.settings if one.path == "Priority")
    config = {"Priority": "7", "Taken": [str(one) for one in sorted(taken)]}
    rule = Resource(
        arn=RULE, service="elbv2", type="listener-rule", name="r", account="111122223333",
        region="eu-west-1", config=config,
    )  # fmt: skip
    calls = setting.restore(rule, str(wanted))
    sent = [{"RulePriorities": [{"RuleArn": RULE, "Priority": wanted}]}]
    assert [one.parameters for one in calls] == ([] if wanted in taken else sent)
    assert setting.restore(rule, "default") == ()


def test_a_request_that_names_several_rules_tells_each_ones_own_number() -> None:
    other = f"{RULE[:-2]}55"
    pairs = [{"ruleArn": RULE, "priority": 5}, {"ruleArn": other, "priority": 6}]
    event = happened("SetRulePriorities", {"rulePriorities": pairs})
    assert catalogue.changed_alike(event) == (RULE, other)
    told = [
        requested(event, setting) for arn in (RULE, other) for _, setting in catalogue.settings_in(event, arn)
    ]
    assert told == [(True, "5"), (True, "6")]
    alone = happened("SetRulePriorities", {"rulePriorities": pairs[:1]})
    assert catalogue.changed_alike(alone) == ()
    made = happened(
        "CreateRule", {"listenerArn": HTTP, "priority": 9}, response={"rules": [{"ruleArn": RULE}]}
    )
    assert catalogue.changed_alike(made) == ()
    assert [requested(made, setting) for _, setting in catalogue.settings_in(made)] == [(True, "9")]
