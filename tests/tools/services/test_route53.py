"""Route 53: what is read and related, and that undoing a batch gives back the very records of before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.models import Actor, Call, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.route53 import (
    SERVICE,
    describe,
    dimensions,
    discover,
    owner,
    plain_name,
    relations,
)
from tools.topology import around

NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
ZONE = "arn:aws:route53:::hostedzone/Z0423603EXAMPLE0001"
CHECK = "arn:aws:route53:::healthcheck/3f1c9a52-7d44-4b0e-9a61-2c8e5b7d0a11"
WEB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
EDGE = "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE0001"
MACHINE = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60001"
KEYS = next(one.keys for one in SERVICE.changes if one.operation == "ChangeResourceRecordSets")
NAMES_KEY = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
UNDO = next(one.undo for one in SERVICE.changes if one.operation == "ChangeResourceRecordSets")


def resource(arn: str, service: str, type: str, config: Json) -> Resource:
    return Resource(
        arn=arn,
        service=service,
        type=type,
        name=arn.rpartition("/")[2],
        account="111122223333",
        region="eu-west-1",
        config=config,
    )


BALANCER = resource(WEB, "elbv2", "load-balancer", {"DNSName": "web-1234567890.eu-west-1.elb.amazonaws.com"})
DISTRIBUTION = resource(EDGE, "cloudfront", "distribution", {"DomainName": "d111abc.cloudfront.net"})
INSTANCE = resource(MACHINE, "ec2", "instance", {"PublicIpAddress": "203.0.113.80"})


def alias(name: str, host: str, **more: Any) -> Json:
    target = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": host, "EvaluateTargetHealth": False}
    return {"Name": name, "Type": "A", "AliasTarget": target, **more}


def plain(name: str, kind: str, *values: str, **more: Any) -> Json:
    return {
        "Name": name,
        "Type": kind,
        "TTL": 300,
        "ResourceRecords": [{"Value": value} for value in values],
        **more,
    }


RECORDS = [
    plain("example.com.", "NS", "ns-1.awsdns-00.com."),
    alias("shop.example.com.", "dualstack.web-1234567890.eu-west-1.elb.amazonaws.com."),
    alias("\\052.example.com.", "d111abc.cloudfront.net."),
    plain("api.example.com.", "A", "203.0.113.80", HealthCheckId=CHECK.rpartition("/")[2]),
    alias("static.example.com.", "s3-website-eu-west-1.amazonaws.com."),
    plain("mail.example.com.", "MX", "10 web-1234567890.eu-west-1.elb.amazonaws.com"),
]
HEALTH: Json = {
    "Id": CHECK.rpartition("/")[2],
    "CallerReference": "r",
    "HealthCheckVersion": 1,
    "HealthCheckConfig": {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": "shop.example.com",
        "ResourcePath": "/healthz",
        "AlarmIdentifier": {"Region": "eu-west-1", "Name": "shop-errors"},
    },
}


def zone_item(name: str = "example.com.") -> Json:
    return {
        "Id": "/hostedzone/Z0423603EXAMPLE0001",
        "Name": name,
        "CallerReference": "r",
        "Config": {"PrivateZone": False},
    }


def answers(**more: Answer) -> dict[tuple[str, str], Answer]:
    made: dict[str, Answer] = {
        "ListHostedZones": {
            "HostedZones": [zone_item()],
            "Marker": "",
            "IsTruncated": False,
            "MaxItems": "100",
        },
        "GetHostedZone": {
            "HostedZone": zone_item(),
            "DelegationSet": {"NameServers": ["ns-1.awsdns-00.com"]},
        },
        "ListResourceRecordSets": {"ResourceRecordSets": RECORDS, "IsTruncated": False, "MaxItems": "300"},
        "ListHealthChecks": {
            "HealthChecks": [HEALTH],
            "Marker": "",
            "IsTruncated": False,
            "MaxItems": "100",
        },
        "GetHealthCheck": {"HealthCheck": HEALTH},
        "ListTagsForResource": {
            "ResourceTagSet": {
                "ResourceType": "hostedzone",
                "ResourceId": "Z0423603EXAMPLE0001",
                "Tags": [{"Key": "team", "Value": "shop"}],
            }
        },
        "ListQueryLoggingConfigs": {
            "QueryLoggingConfigs": [
                {
                    "Id": "q",
                    "HostedZoneId": "Z0423603EXAMPLE0001",
                    "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/route53/x:*",
                }
            ]
        },
    }
    return {("route53", name): answer for name, answer in {**made, **more}.items()}


def read(arn: str, **more: Answer) -> Resource:
    found = describe(FakeAws(answers(**more)).reader(), arn)
    assert found is not None
    return found


def related(one: Resource, *others: Resource) -> set[tuple[str, str, str]]:
    found = list(relations(one, KnownResources([one, *others])))
    assert all(item.evidence and item.provenance.startswith("route53:") for item in found)
    return {(item.source, item.kind, item.target) for item in found}


# -- reading and relations ----------------------------------------------------------------------------


def test_a_zone_is_read_with_its_records_tags_and_log_group() -> None:
    zone = read(ZONE)
    assert (zone.type, zone.name, zone.region, zone.tags) == (
        "hosted-zone",
        "example.com",
        "us-east-1",
        {"team": "shop"},
    )
    assert len(zone.config["RecordSets"]) == len(RECORDS)
    assert SERVICE.log_groups is not None
    assert SERVICE.log_groups(zone) == ("/aws/route53/x",)


def test_names_lead_to_balancers_distributions_instances_and_websites() -> None:
    assert related(read(ZONE), BALANCER, DISTRIBUTION, INSTANCE) == {
        (ZONE, "resolves to", WEB),
        (ZONE, "resolves to", EDGE),
        (ZONE, "resolves to", MACHINE),
        (ZONE, "resolves to", "arn:aws:s3:::static.example.com"),
        (ZONE, "checked by", CHECK),
        (ZONE, "logs to", "arn:aws:logs:us-east-1:111122223333:log-group:/aws/route53/x"),
    }


def test_a_record_of_weight_0_leads_nowhere_while_another_of_its_name_has_weight() -> None:
    def weighted(id: str, value: str, weight: int) -> Json:
        return plain("api.example.com.", "A", value, SetIdentifier=id, Weight=weight)

    live = [weighted("old", "203.0.113.80", 0), weighted("new", "203.0.113.81", 10)]
    found = read(ZONE, ListResourceRecordSets={**_page(live), "IsTruncated": False})
    assert not {one for one in related(found, INSTANCE) if one[1] == "resolves to"}
    alone = read(ZONE, ListResourceRecordSets=_page(live[:1]))
    assert (ZONE, "resolves to", MACHINE) in related(alone, INSTANCE)


def _page(records: list[Json]) -> Json:
    return {"ResourceRecordSets": records, "IsTruncated": False, "MaxItems": "300"}


def test_further_pages_begin_where_the_answer_says() -> None:
    asked: list[Json] = []

    def pages(parameters: Json) -> Json:
        asked.append(parameters)
        if "StartRecordName" in parameters:
            return _page(RECORDS[3:])
        return {
            **_page(RECORDS[:3]),
            "IsTruncated": True,
            "NextRecordName": "api.example.com.",
            "NextRecordType": "A",
        }

    zone = read(ZONE, ListResourceRecordSets=pages)
    assert [one["Name"] for one in zone.config["RecordSets"]] == [one["Name"] for one in RECORDS]
    assert (asked[1]["StartRecordName"], asked[1]["StartRecordType"]) == ("api.example.com.", "A")
    assert "StartRecordIdentifier" not in asked[1]


def test_records_that_may_not_be_read_are_a_gap_and_not_none() -> None:
    reader = FakeAws(answers(), denied=frozenset({"route53:ListResourceRecordSets"})).reader()
    zone = describe(reader, ZONE)
    assert zone is not None
    assert "RecordSets" not in zone.config
    assert any("example.com" in gap.what for gap in reader.gaps)


def test_of_many_zones_the_first_20_are_read_and_the_others_told() -> None:
    items = [{**zone_item(f"z{number}.example."), "Id": f"/hostedzone/Z{number}"} for number in range(23)]
    listing: Json = {"HostedZones": items, "Marker": "", "IsTruncated": False, "MaxItems": "100"}
    account = FakeAws(answers(ListHostedZones=listing))
    reader = account.reader()
    zones = [one for one in discover(reader, "eu-west-1") if one.type == "hosted-zone"]
    assert (len(zones), sum("RecordSets" in one.config for one in zones)) == (23, 20)
    assert account.asked.count(("route53", "ListResourceRecordSets")) == 20
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]


def test_a_check_looks_at_what_its_host_means_and_follows_its_alarm() -> None:
    zone = read(ZONE)
    assert related(read(CHECK), zone, BALANCER) == {
        (CHECK, "checks", ZONE),
        (CHECK, "follows", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:shop-errors"),
    }


def test_a_delegated_name_leads_to_its_own_zone() -> None:
    inner = Resource(
        arn="arn:aws:route53:::hostedzone/Z2",
        service="route53",
        type="hosted-zone",
        name="dev.example.com",
        account="111122223333",
        region="us-east-1",
    )
    records = [plain("dev.example.com.", "NS", "ns-7.awsdns-11.com.")]
    zone = read(ZONE, ListResourceRecordSets=_page(records))
    assert (ZONE, "delegates to", inner.arn) in related(zone, inner)


def test_what_does_not_exist_is_none() -> None:
    reader = FakeAws({}).reader()
    assert describe(reader, ZONE) is None
    assert describe(reader, CHECK) is None


def test_a_load_balancer_in_trouble_shows_the_zone_that_leads_to_it() -> None:
    balancer: Json = {
        "LoadBalancerArn": WEB,
        "LoadBalancerName": "web",
        "DNSName": "web-1234567890.eu-west-1.elb.amazonaws.com",
        "Type": "application",
        "State": {"Code": "active"},
    }
    account = FakeAws({**answers(), ("elbv2", "DescribeLoadBalancers"): {"LoadBalancers": [balancer]}})
    found = around(account.reader(), [WEB])
    assert (ZONE, "resolves to", WEB) in {(one.source, one.kind, one.target) for one in found.relations}


def test_metrics_belong_to_zones_and_checks() -> None:
    zone, check = read(ZONE), read(CHECK)
    assert owner(dict(dimensions(zone)), "aws", "us-east-1", "111122223333") == ZONE
    assert owner(dict(dimensions(check)), "aws", "us-east-1", "111122223333") == CHECK
    assert owner({"Region": "us-east-1"}, "aws", "us-east-1", "111122223333") == ""
    assert catalogue.owner_of("AWS/Route53", dict(dimensions(check)), "us-east-1", "1") == CHECK


# -- undoing a batch ----------------------------------------------------------------------------------


def happened(
    changes: list[tuple[str, Json]], number: int = 99, zone: str = "Z0423603EXAMPLE0001"
) -> ChangeEvent:
    listed = [{"action": action, "resourceRecordSet": one} for action, one in changes]
    return ChangeEvent(
        id=f"e{number}",
        time=NOON + timedelta(minutes=number),
        source="route53.amazonaws.com",
        action="ChangeResourceRecordSets",
        operation="ChangeResourceRecordSets",
        region="us-east-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={"hostedZoneId": zone, "changeBatch": {"changes": listed}},
        response={},
        evidence=(f"F{number}",),
    )


def recorded(name: str, value: str, id: str = "") -> Json:
    found: Json = {"name": name, "type": "A", "tTL": 60, "resourceRecords": [{"value": value}]}
    return {**found, "setIdentifier": id, "weight": 1} if id else found


def undone(event: ChangeEvent, *earlier: ChangeEvent) -> list[tuple[str, Json]]:
    assert UNDO is not None
    calls: tuple[Call, ...] = UNDO(event, tuple(sorted(earlier, key=lambda one: one.time, reverse=True)))
    assert len(calls) <= 1
    for one in calls:
        assert validate(one) == ()
        assert one.region == "us-east-1"
        batch = one.parameters["ChangeBatch"]["Changes"]
        return [(change["Action"], change["ResourceRecordSet"]) for change in batch]
    return []


def test_a_deleted_record_comes_back_whole_from_the_event_alone() -> None:
    gone = {
        "name": "shop.example.com",
        "type": "A",
        "aliasTarget": {
            "hostedZoneId": "Z32O12XQLNTSW2",
            "dNSName": "web-1.eu-west-1.elb.amazonaws.com",
            "evaluateTargetHealth": True,
        },
    }
    assert undone(happened([("DELETE", gone)])) == [
        (
            "CREATE",
            {
                "Name": "shop.example.com",
                "Type": "A",
                "AliasTarget": {
                    "HostedZoneId": "Z32O12XQLNTSW2",
                    "DNSName": "web-1.eu-west-1.elb.amazonaws.com",
                    "EvaluateTargetHealth": True,
                },
            },
        )
    ]


def test_an_upsert_needs_an_earlier_event_of_the_same_record_and_zone() -> None:
    bad = happened([("UPSERT", recorded("shop.example.com.", "203.0.113.99"))])
    assert undone(bad) == []
    other = happened([("UPSERT", recorded("shop.example.com", "203.0.113.1"))], 1, zone="ZOTHER")
    another = happened([("UPSERT", recorded("www.example.com", "203.0.113.2"))], 2)
    assert undone(bad, other, another) == []
    good = happened([("UPSERT", recorded("Shop.example.com", "203.0.113.80"))], 3)
    (action, restored), *rest = undone(bad, other, another, good)
    assert (action, restored["TTL"], rest) == ("UPSERT", 60, [])
    assert restored["ResourceRecords"] == [{"Value": "203.0.113.80"}]


def test_a_batch_is_undone_whole_or_not_at_all() -> None:
    known = ("DELETE", recorded("a.example.com", "203.0.113.1"))
    assert undone(happened([known, ("UPSERT", recorded("b.example.com", "203.0.113.2"))])) == []
    cut = happened([])
    assert undone(cut) == []


_NAMES = st.sampled_from(["a.example.com.", "b.example.com.", "*.example.com."])
_STEP = st.tuples(st.sampled_from(["SET", "DELETE"]), _NAMES, st.integers(1, 9), st.sampled_from(["", "x"]))


def _apply(state: dict[tuple[str, str], Json], batch: list[tuple[str, Json]]) -> None:
    """Route 53's rules: CREATE wants nothing there, DELETE the very record."""
    for action, one in batch:
        key = (
            plain_name(one.get("Name") or one["name"]),
            one.get("SetIdentifier") or one.get("setIdentifier", ""),
        )
        values = [
            item.get("Value") or item["value"]
            for item in one.get("ResourceRecords") or one["resourceRecords"]
        ]
        if action == "CREATE":
            assert key not in state
        if action == "DELETE":
            assert state.pop(key) == {"values": values}
        else:
            state[key] = {"values": values}


@given(st.lists(st.lists(_STEP, min_size=1, max_size=4), min_size=1, max_size=5))
def test_undoing_the_newest_batch_gives_the_state_before_it(history: list[list[Any]]) -> None:
    state: dict[tuple[str, str], Json] = {}
    seen: dict[tuple[str, str], Json] = {}
    events: list[ChangeEvent] = []
    before: dict[tuple[str, str], Json] = {}
    for number, steps in enumerate(history):
        batch: list[tuple[str, Json]] = []
        for what, name, value, id in steps:
            key = (plain_name(name), id)
            one = recorded(name, f"203.0.113.{value}", id)
            if what == "DELETE":
                if key in seen:
                    batch.append(("DELETE", seen.pop(key)))
                continue
            # Every record's first event is a CREATE, so that nothing is unknown.
            fresh = key not in seen
            batch.append(("CREATE" if fresh else "UPSERT", one))
            seen[key] = one
        before = dict(state)
        _apply(state, batch)
        if batch:
            events.append(happened(batch, number))
        else:
            before = dict(state)
    if not events or events[-1].id != f"e{len(history) - 1}":
        return
    _apply(state, undone(events[-1], *events[:-1]))
    assert state == before


@given(st.text(alphabet="abc-", min_size=1, max_size=8))
def test_names_are_one_however_they_are_written(label: str) -> None:
    assert plain_name(f"\\052.{label}.Example.COM.") == plain_name(f"*.{label}.example.com")


def test_a_network_taken_from_a_private_zone_is_given_back() -> None:
    change = next(one for one in SERVICE.changes if one.operation == "DisassociateVPCFromHostedZone")
    assert change.undo is not None
    event = happened([])
    request = {"hostedZoneId": "Z1", "vPC": {"vPCRegion": "eu-west-1", "vPCId": "vpc-1"}}
    (made,) = change.undo(
        ChangeEvent(
            id="e",
            time=NOON,
            source=event.source,
            action=change.operation,
            operation=change.operation,
            region="us-east-1",
            account="111122223333",
            actor=event.actor,
            request=request,
            response={},
        ),
        (),
    )
    assert made.operation == "AssociateVPCWithHostedZone"
    assert made.parameters == {"HostedZoneId": "Z1", "VPC": {"VPCRegion": "eu-west-1", "VPCId": "vpc-1"}}


# -- settings of health checks ------------------------------------------------------------------------


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == f"HealthCheckConfig.{path}")


def test_a_checks_members_go_back_alone_in_their_own_types() -> None:
    check = read(CHECK)
    id = CHECK.rpartition("/")[2]

    def sent(path: str, value: Any) -> Json:
        (made,) = setting(path).restore(check, value)
        assert validate(made) == ()
        return made.parameters

    assert sent("ResourcePath", "/healthz") == {"HealthCheckId": id, "ResourcePath": "/healthz"}
    assert sent("Port", "443") == {"HealthCheckId": id, "Port": 443}
    assert sent("Disabled", "False") == {"HealthCheckId": id, "Disabled": False}
    assert sent("Regions", '["eu-west-1","us-east-1","us-west-2"]') == {
        "HealthCheckId": id,
        "Regions": ["eu-west-1", "us-east-1", "us-west-2"],
    }
    assert sent("ResourcePath", None) == {"HealthCheckId": id, "ResetElements": ["ResourcePath"]}
    assert setting("Port").restore(check, None) == ()
    assert setting("Regions").restore(check, "{broken") == ()


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("API.Example.com.", "api.example.com"),
        ("*.example.com", r"\052.example.com"),
        (r"\052.example.com.", r"\052.example.com"),
        ("_acme.example.com", "_acme.example.com"),
        ("a@b.example.com", r"a\100b.example.com"),
    ],
)
def test_policies_see_names_normalised_in_calls_and_in_events(name: str, seen: str) -> None:
    assert KEYS is not None
    call = {"ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": name}}]}}
    told = {"changeBatch": {"changes": [{"action": "UPSERT", "resourceRecordSet": {"name": name}}] * 2}}
    assert KEYS(call) == KEYS(told) == {NAMES_KEY: (seen,)}


@pytest.mark.parametrize("request_", [{}, {"changeBatch": None}, {"changeBatch": {"changes": None}}])
def test_a_request_without_records_names_none(request_: Json) -> None:
    assert KEYS is not None
    assert KEYS(request_) == {}
