"""Made accounts for tests of levels: every resource hand-made, no stack."""

from __future__ import annotations

from tools.models import Relation, Resource

_AT = "eu-west-1:111122223333"
_ARNS = {
    "function": f"arn:aws:lambda:{_AT}:function:",
    "event-source-mapping": f"arn:aws:lambda:{_AT}:event-source-mapping:",
    "table": f"arn:aws:dynamodb:{_AT}:table/",
    "queue": f"arn:aws:sqs:{_AT}:",
    "api": "arn:aws:apigateway:eu-west-1::/apis/",
    "role": "arn:aws:iam::111122223333:role/",
    "alarm": f"arn:aws:cloudwatch:{_AT}:alarm:",
    "log-group": f"arn:aws:logs:{_AT}:log-group:",
    "load-balancer": f"arn:aws:elasticloadbalancing:{_AT}:loadbalancer/app/",
    "target-group": f"arn:aws:elasticloadbalancing:{_AT}:targetgroup/",
    "listener": f"arn:aws:elasticloadbalancing:{_AT}:listener/app/",
    "service": f"arn:aws:ecs:{_AT}:service/shop/",
    "task-definition": f"arn:aws:ecs:{_AT}:task-definition/",
    "instance": f"arn:aws:ec2:{_AT}:instance/",
    "subnet": f"arn:aws:ec2:{_AT}:subnet/",
    "route-table": f"arn:aws:ec2:{_AT}:route-table/",
    "nat-gateway": f"arn:aws:ec2:{_AT}:natgateway/",
    "index": f"arn:aws:dynamodb:{_AT}:table/",
}
_SERVICES = {
    "function": "lambda",
    "event-source-mapping": "lambda",
    "table": "dynamodb",
    "index": "dynamodb",
    "queue": "sqs",
    "api": "apigatewayv2",
    "role": "iam",
    "alarm": "cloudwatch",
    "log-group": "logs",
    "load-balancer": "elbv2",
    "target-group": "elbv2",
    "listener": "elbv2",
    "service": "ecs",
    "task-definition": "ecs",
    "instance": "ec2",
    "subnet": "vpc",
    "route-table": "vpc",
    "nat-gateway": "vpc",
}


def arn(type: str, name: str) -> str:
    return _ARNS[type] + name


def thing(type: str, name: str, state: str = "", called: str = "", **tags: str) -> Resource:
    """A resource of this type. `state`: an alarm's."""
    return Resource(
        arn=arn(type, name),
        service=_SERVICES[type],
        type=type,
        name=called or name.rpartition("/")[2],
        account="111122223333",
        region="eu-west-1",
        config={"StateValue": state} if state else {},
        tags=tags,
    )


def leads(
    source: Resource, kind: str, target: Resource, sure: float = 1.0, said: str = "read:X f"
) -> Relation:
    return Relation(source=source.arn, target=target.arn, kind=kind, provenance=said, confidence=sure)


API, WRITER, TABLE = thing("api", "a1b2c3"), thing("function", "order-writer"), thing("table", "orders")
INDEX = thing("index", "orders/index/by-customer")
QUEUE, MAPPING = thing("queue", "orders-queue"), thing("event-source-mapping", "7f1c0a52")
ROLE, GROUP = thing("role", "order-writer-role"), thing("log-group", "/aws/lambda/order-writer")
RED, CALM = thing("alarm", "orders-throttled", "ALARM"), thing("alarm", "writer-errors", "OK")
STRANGER = thing("function", "image-resizer")
SHOP = (API, WRITER, TABLE, INDEX, QUEUE, MAPPING, ROLE, GROUP, RED, CALM, STRANGER)
SHOP_RELATIONS = (
    leads(API, "invokes", WRITER),
    leads(WRITER, "uses", TABLE, 0.97, "lambda:GetFunctionConfiguration Environment.TABLE_NAME"),
    leads(WRITER, "may read", INDEX, 0.6, "iam:GetRolePolicy p"),
    leads(QUEUE, "triggers", MAPPING),
    leads(MAPPING, "feeds", WRITER),
    leads(WRITER, "runs as", ROLE),
    leads(STRANGER, "runs as", ROLE),
    leads(ROLE, "may use", TABLE, 0.5),
    leads(WRITER, "logs to", GROUP),
    leads(RED, "watches", TABLE),
    leads(CALM, "watches", WRITER),
)


def estate(systems: int, size: int = 10, extra: int = 4) -> tuple[list[Resource], list[Relation]]:
    """`systems` systems of `size` functions and tables each, about `extra` relations per resource; no tag, no stack."""
    resources: list[Resource] = []
    relations: list[Relation] = []
    for number in range(systems):
        word = "".join(chr(97 + number // 26**place % 26) for place in range(3))
        here = [thing("function" if n % 2 else "table", f"{word}x-{n}") for n in range(size)]
        resources += here
        for n, one in enumerate(here):
            for step in range(1, extra + 1):
                relations.append(leads(one, "uses", here[(n + step) % size]))
    for number in range(0, len(resources) - size, size):
        relations.append(leads(resources[number], "may read", resources[number + size], 0.6))
    return resources, relations
