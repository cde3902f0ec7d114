"""What configurations mention, resolved to known resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.directory import KnownResources
from tools.models import Json, Resource

_AT = "eu-west-1:111122223333"


def resource(service: str, type: str, arn: str, name: str, config: Json | None = None) -> Resource:
    return Resource(
        arn=arn,
        service=service,
        type=type,
        name=name,
        account="111122223333",
        region=arn.split(":")[3],
        config=config or {},
    )


TABLE = resource("dynamodb", "table", f"arn:aws:dynamodb:{_AT}:table/orders", "orders")
QUEUE = resource("sqs", "queue", f"arn:aws:sqs:{_AT}:orders", "orders")
FUNCTION = resource("lambda", "function", f"arn:aws:lambda:{_AT}:function:order-writer", "order-writer")
API = resource(
    "apigatewayv2",
    "api",
    "arn:aws:apigateway:eu-west-1::/apis/a1b2c3d4e5",
    "orders-api",
    {"Id": "a1b2c3d4e5", "ApiId": "a1b2c3d4e5"},
)
SHORT = resource("dynamodb", "table", f"arn:aws:dynamodb:{_AT}:table/ab", "ab")
KNOWN = KnownResources([QUEUE, TABLE, FUNCTION, API, SHORT])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (TABLE.arn, (TABLE,)),
        (f" {TABLE.arn}/index/by-date ", (TABLE,)),
        (f"{TABLE.arn}/stream/2026-01-01T00:00:00.000", (TABLE,)),
        (f"{FUNCTION.arn}:live", (FUNCTION,)),
        ("orders", (TABLE, QUEUE)),
        ("Orders", ()),
        ("orders2", ()),
        ("ab", ()),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/orders", (QUEUE,)),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/orders", (QUEUE,)),
        ("https://sqs.us-east-1.amazonaws.com/111122223333/orders", ()),
        ("https://sqs.eu-west-1.amazonaws.com/444455556666/orders", ()),
        ("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/x?y=z", (API,)),
        ("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", (API,)),
        ("https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com", ()),
        ("https://shop.example.com/orders", ()),
        ("arn:aws:dynamodb:eu-west-1:444455556666:table/orders", ()),
        ("", ()),
    ],
)
def test_mentioned(text: str, wanted: tuple[Resource, ...]) -> None:
    assert KNOWN.mentioned(text) == wanted


def test_by_type_and_name() -> None:
    assert KNOWN.named("orders", "queue") == (QUEUE,)
    assert KNOWN.of("api") == (API,)
    assert KNOWN.by_arn(TABLE.arn) == TABLE
    assert KNOWN.by_arn("nothing") is None


@pytest.mark.parametrize(
    ("namespace", "dimensions", "wanted"),
    [
        ("AWS/DynamoDB", {"TableName": "orders", "Operation": "PutItem"}, TABLE.arn),
        ("AWS/SQS", {"QueueName": "orders"}, QUEUE.arn),
        ("AWS/ApiGateway", {"ApiId": "a1b2c3d4e5", "Stage": "prod"}, API.arn),
        ("AWS/DynamoDB", {"TableName": "unseen"}, f"arn:aws:dynamodb:{_AT}:table/unseen"),
        ("AWS/DynamoDB", {"QueueName": "orders"}, ""),
        ("Shop", {"TableName": "orders"}, ""),
    ],
)
def test_measured(namespace: str, dimensions: dict[str, str], wanted: str) -> None:
    assert KNOWN.measured(namespace, dimensions, "eu-west-1") == wanted


# -- hosts and addresses ----------------------------------------------------------------------------

_RDS = "eu-west-1.rds.amazonaws.com"
DATABASE = resource(
    "rds",
    "db-instance",
    f"arn:aws:rds:{_AT}:db:orders-db",
    "orders-db",
    {"Endpoint": {"Address": f"orders-db.c1example2ab.{_RDS}", "Port": 5432}},
)
CLUSTER = resource(
    "rds",
    "db-cluster",
    f"arn:aws:rds:{_AT}:cluster:shop",
    "shop",
    {
        "Endpoint": f"shop.cluster-c1example2ab.{_RDS}",
        "ReaderEndpoint": f"shop.cluster-ro-c1example2ab.{_RDS}",
        "CustomEndpoints": [f"reports.cluster-custom-c1example2ab.{_RDS}"],
    },
)
BALANCER = resource(
    "elbv2",
    "load-balancer",
    f"arn:aws:elasticloadbalancing:{_AT}:loadbalancer/app/shop/50dc6c495c0c9188",
    "shop",
    {"DNSName": "internal-Shop-1234567890.eu-west-1.elb.amazonaws.com", "Type": "application"},
)


def machine(id: str, address: str, **more: object) -> Resource:
    config = {
        "PrivateIpAddress": address,
        "PrivateDnsName": f"ip-{address.replace('.', '-')}.eu-west-1.compute.internal",
        **more,
    }
    return resource("ec2", "instance", f"arn:aws:ec2:{_AT}:instance/{id}", id, config)


WEB = machine(
    "i-0aaaaaaaaaaaaaaa1",
    "10.0.3.17",
    PublicIpAddress="203.0.113.7",
    PublicDnsName="",
    NetworkInterfaces=[
        {"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.3.17"}, {"PrivateIpAddress": "10.0.3.99"}]},
        {"PrivateIpAddresses": None},
    ],
)
TWIN, OTHER_TWIN = machine("i-0aaaaaaaaaaaaaaa2", "10.0.9.9"), machine("i-0aaaaaaaaaaaaaaa3", "10.0.9.9")
HOSTS = KnownResources([DATABASE, CLUSTER, BALANCER, WEB, TWIN, OTHER_TWIN, API])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"orders-db.c1example2ab.{_RDS}", DATABASE),
        (f"ORDERS-DB.C1EXAMPLE2AB.{_RDS.upper()}.:5432", DATABASE),
        (f"postgres://orders-db.c1example2ab.{_RDS}:5432/orders", DATABASE),
        (f"jdbc:postgresql://orders-db.c1example2ab.{_RDS}:5432/orders?ssl=true", DATABASE),
        (f"jdbc:mysql:loadbalance://orders-db.c1example2ab.{_RDS}:3306/x", DATABASE),
        (f"shop.cluster-c1example2ab.{_RDS}", CLUSTER),
        (f"shop.cluster-ro-c1example2ab.{_RDS}:3306", CLUSTER),
        (f"reports.cluster-custom-c1example2ab.{_RDS}", CLUSTER),
        ("http://internal-shop-1234567890.eu-west-1.elb.amazonaws.com/health", BALANCER),
        ("dualstack.internal-shop-1234567890.eu-west-1.elb.amazonaws.com", BALANCER),
        ("10.0.3.17", WEB),
        ("10.0.3.17:8080", WEB),
        ("http://10.0.3.99:8080/health", WEB),
        ("203.0.113.7", WEB),
        ("ip-10-0-3-17.eu-west-1.compute.internal", WEB),
        ("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod", API),
        ("10.0.9.9", None),  # two networks may use the same address
        ("10.0.3.1", None),
        ("10.0.3.170", None),
        (f"x.orders-db.c1example2ab.{_RDS}", None),
        ("http://[broken/", None),
        ("jdbc:nothing", None),
        ("localhost:5432", None),
    ],
)
def test_hosts_and_addresses(text: str, wanted: Resource | None) -> None:
    assert HOSTS.mentioned(text) == ((wanted,) if wanted else ())


@pytest.mark.parametrize(
    ("host", "arn", "type"),
    [
        (f"payments.c1example2ab.{_RDS}", f"arn:aws:rds:{_AT}:db:payments", "db-instance"),
        (f"tcp://payments.c1example2ab.{_RDS}:5432", f"arn:aws:rds:{_AT}:db:payments", "db-instance"),
        (f"carts.cluster-ro-c1example2ab.{_RDS}", f"arn:aws:rds:{_AT}:cluster:carts", "db-cluster"),
        (
            "payments.c1example2ab.cn-north-1.rds.amazonaws.com.cn",
            "arn:aws-cn:rds:cn-north-1:111122223333:db:payments",
            "db-instance",
        ),
    ],
)
def test_a_host_that_spells_out_a_name_means_it_though_it_was_not_listed(
    host: str, arn: str, type: str
) -> None:
    (found,) = HOSTS.mentioned(host)
    assert (found.arn, found.type, found.service, found.config) == (arn, type, "rds", {})
    assert found.name == arn.rpartition(":")[2]
    assert HOSTS.by_arn(arn) is None


@pytest.mark.parametrize(
    "host",
    [
        f"reports.cluster-custom-c2.{_RDS}",  # custom endpoints and proxies have names of their own
        f"pool.proxy-c1example2ab.{_RDS}",
        "payments.c1example2ab.eu-west-1.rds.example.com",
        f"payments.{_RDS}",
    ],
)
def test_a_host_that_does_not_tell_a_name_means_nothing(host: str) -> None:
    assert HOSTS.mentioned(host) == ()
    assert KnownResources([]).mentioned(f"payments.c1example2ab.{_RDS}") == ()


def test_a_lookup_does_not_go_through_all_resources() -> None:
    """The answer for a host comes from an index: resources are not asked again after it is made."""
    many = KnownResources(
        [DATABASE, *(machine(f"i-{n:017x}", f"10.1.{n // 250}.{n % 250}") for n in range(2000))]
    )
    many._by_arn = {}
    assert many.mentioned(f"orders-db.c1example2ab.{_RDS}") == (DATABASE,)
    assert [one.name for one in many.mentioned("10.1.7.249")] == ["i-000000000000007cf"]


@given(st.text(max_size=60))
def test_any_text_is_looked_up(text: str) -> None:
    found = [one.arn for one in HOSTS.mentioned(text)]
    assert set(found) <= {one.arn for one in (DATABASE, CLUSTER, BALANCER, WEB, TWIN, OTHER_TWIN, API)}
    assert len(found) == len(set(found))
