"""Four small accounts whose names are easy to confuse, for words that start an investigation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tools.models import Alarm, AlarmState, Metric, Resource

REGION, ACCOUNT = "eu-west-1", "111122223333"
_ARNS = {
    "table": ("dynamodb", "arn:aws:dynamodb:{r}:{a}:table/{n}"),
    "function": ("lambda", "arn:aws:lambda:{r}:{a}:function:{n}"),
    "queue": ("sqs", "arn:aws:sqs:{r}:{a}:{n}"),
    "api": ("apigatewayv2", "arn:aws:apigateway:{r}::/apis/{n}"),
    "rest-api": ("apigateway", "arn:aws:apigateway:{r}::/restapis/{n}"),
}
_DIMENSION = {
    "table": ("AWS/DynamoDB", "TableName"),
    "function": ("AWS/Lambda", "FunctionName"),
    "queue": ("AWS/SQS", "QueueName"),
    "api": ("AWS/ApiGateway", "ApiId"),
}


@dataclass(frozen=True)
class Scope:
    """What a reader finds in one account and region."""

    alarms: tuple[Alarm, ...]
    resources: tuple[Resource, ...]


def thing(kind: str, name: str, id: str = "", **tags: str) -> Resource:
    """A resource as its listing tells it. `id` is an API's."""
    service, arn = _ARNS[kind]
    config = {"Id": id} if id else {}
    if kind == "api":
        config["ApiEndpoint"] = f"https://{id}.execute-api.{REGION}.amazonaws.com"
    return Resource(
        arn=arn.format(r=REGION, a=ACCOUNT, n=id or name),
        service=service,
        type=kind.removeprefix("rest-"),
        name=name,
        account=ACCOUNT,
        region=REGION,
        config=config,
        tags=tags,
    )


def alarm(name: str, kind: str, of: str, metric: str, state: AlarmState = "OK") -> Alarm:
    """An alarm on one metric of one thing; `of` is the value of its dimension."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    namespace, dimension = _DIMENSION[kind]
    return Alarm(
        arn=f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        name=name,
        account=ACCOUNT,
        region=REGION,
        metric=Metric(namespace=namespace, name=metric, dimensions=((dimension, of),), stat="Sum"),
        comparison="GreaterThanThreshold",
        threshold=1,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        treat_missing="missing",
        state=state,
        state_since=moment,
        state_reason="",
        updated=moment,
    )


SHOP = Scope(
    alarms=(
        alarm("orders-writes-throttled", "table", "orders", "WriteThrottleEvents", "ALARM"),
        alarm("Checkout API 5xx rate high", "api", "chk9876543", "5xx"),
        alarm("order-writer-errors", "function", "order-writer", "Errors"),
        alarm("payments queue age", "queue", "payments_v2", "ApproximateAgeOfOldestMessage"),
    ),
    resources=(
        thing("table", "orders"),
        thing("table", "order-items"),
        thing("table", "payments_v2"),
        thing("table", "test"),
        thing("table", "data"),
        thing("function", "order-writer"),
        thing("function", "order-reader"),
        thing("function", "CheckoutHandler", team="決済"),
        thing("function", "api"),
        thing("queue", "orders-queue"),
        thing("queue", "payments_v2"),
        thing("queue", "refunds.fifo", 業務="返金"),
        thing("api", "orders-api", "abc123"),
        thing("api", "checkout", "chk9876543"),
        thing("api", "shop-http", "shp5551234", 業務="注文", env="prod"),
        thing("rest-api", "legacy", "leg4443332"),
    ),
)
DESK = Scope(
    alarms=(
        alarm("booking-writer errors", "function", "booking-writer", "Errors", "ALARM"),
        alarm("mail-queue-age", "queue", "mail-queue", "ApproximateAgeOfOldestMessage", "ALARM"),
        alarm("決済エラー率が高い", "function", "payment-capture", "Errors"),
    ),
    resources=(
        thing("table", "bookings", 業務="予約"),
        thing("table", "seats"),
        thing("table", "users"),
        thing("function", "booking-writer", 業務="予約"),
        thing("function", "payment-capture"),
        thing("function", "mail-sender", サービス="メール配信"),
        thing("function", "users"),
        thing("queue", "mail-queue", 部門="配送"),
        thing("queue", "mail-queue-dlq"),
        thing("api", "予約API", "rsv5556667", 業務="予約"),
        thing("api", "admin", "adm1112223"),
    ),
)
QUIET = Scope(
    alarms=(alarm("orders-latency", "api", "qqq0001112", "Latency"),),
    resources=(
        thing("table", "orders"),
        thing("table", "Orders"),
        thing("table", "orders-archive"),
        thing("function", "etl"),
        thing("function", "orders"),
        thing("queue", "jobs"),
        thing("queue", "Payments_DLQ"),
        thing("api", "api", "qqq0001112"),
    ),
)
CORE = Scope(
    alarms=(
        alarm("tickets_v2-WriteThrottleEvents", "table", "tickets_v2", "WriteThrottleEvents", "ALARM"),
        alarm("core-tickets-http-5xx", "api", "tk1abc2def", "5xx"),
        alarm("配送遅延アラーム", "queue", "shipping", "ApproximateAgeOfOldestMessage", "ALARM"),
    ),
    resources=(
        thing("table", "tickets_v2", team="core"),
        thing("table", "users-prod"),
        thing("table", "sessions", app="認証"),
        thing("function", "put-ticket"),
        thing("function", "ShipmentNotifier"),
        thing("function", "auth", app="認証"),
        thing("function", "payment-gateway-callback"),
        thing("queue", "shipping"),
        thing("queue", "shipping-dlq"),
        thing("api", "core-tickets-http", "tk1abc2def", team="core"),
        thing("api", "Payment Gateway", "pgw9876543"),
    ),
)
SCOPES = {"shop": SHOP, "desk": DESK, "quiet": QUIET, "core": CORE}
