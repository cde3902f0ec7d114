"""The web shop: pages, checkout in containers, orders in tables, events to whoever asks."""

from __future__ import annotations

from evals.estates import apis, compute, data, databases, doors, identity, messages, network, watching
from evals.estates.common import Common
from evals.estates.ground import Ground, Thing, by, by_arn, by_name, plain

_NOUNS = ("orders", "carts", "baskets", "wishlists", "vouchers", "reviews", "returns", "stock")


def make(ground: Ground, common: Common) -> dict[str, Thing]:
    """The team's things that others lean on, by what they are."""
    main = common.main
    key = identity.key(ground, "shop")
    first, second, third = ground.draw.sample(_NOUNS, 3)
    tables = [
        data.table(
            ground, first, indexes=["customer", "status"], stream=True, encrypted=key, provisioned=True
        ),
        data.table(ground, f"{first}-archive"),
        data.table(ground, second, indexes=["sku"]),
        data.table(ground, f"{second}_v2", stream=True),
    ]
    busy = tables[0]
    compute.scaled(ground, "dynamodb", busy, f"table/{busy.name}", "dynamodb:table:WriteCapacityUnits")
    dead = messages.queue(ground, f"{first}-events-dead")
    work = messages.queue(ground, f"{first}-events", gives_up=dead, encrypted=key)
    plain_queue = messages.queue(ground, first)  # named as the table, and something else
    events = messages.topic(ground, f"{first}-events", key)
    messages.subscribe(ground, events, work, "sqs")
    mails = messages.queue(ground, "mail-out", admits=[events])
    messages.subscribe(ground, events, mails, "sqs", gives_up=dead)

    balancer = network.group(ground, "shop-alb", main, [(443, "0.0.0.0/0")])
    tasks = network.group(ground, "shop-tasks", main, [(8080, balancer)])
    stores = network.group(ground, "shop-db", main, [(5432, tasks), (6379, tasks)])
    place = databases.subnet_group(ground, "shop", main.private)
    tuned = databases.parameters(ground, "shop-pg", "postgres15")
    base = databases.database(ground, "shop-db", place, [stores], shaped=tuned, encrypted=key)
    databases.replica(ground, "shop-db-read", base)
    cache = databases.cache(ground, "shop-sessions", main.private, [stores], key)
    secret = identity.secret(ground, "shop/db", key)
    bare = identity.parameter(ground, "/shop/feature/banner", plain("on"))
    stores_at = identity.parameter(ground, "/shop/orders-table", by_name(busy))
    data_bucket = data.bucket(ground, f"{common.company}-shop-media", encrypted=key, logs_to=common.logs)
    pages = data.bucket(ground, f"{common.company}-shop-pages")

    pulls = identity.role(
        ground, "shop-task-execution", "ecs-tasks",
        [(["secretsmanager:GetSecretValue"], [secret]), ("ecr:*", ["*"]), (["ssm:GetParameters"], [bare])],
    )  # fmt: skip
    acts = identity.role(
        ground, "shop-task", "ecs-tasks",
        [(["dynamodb:PutItem", "dynamodb:Query"], [tables[0], f"{tables[0].arn}/index/*", tables[2]]),
         ("sns:Publish", [events]), (["s3:GetObject"], [f"{data_bucket.arn}/*"])],
    )  # fmt: skip
    ground.fact(acts, "may use", data_bucket)
    cluster = compute.ecs_cluster(ground, "shop")
    front = network.balancer(ground, "shop", main.public, [balancer], logs=common.logs)
    web_group = network.targets(ground, "shop-web", main)
    api_group = network.targets(ground, "shop-api", main)
    secure = network.listener(ground, front, web_group, 443, common.certificate)
    network.rule(ground, secure, "/api/*", api_group, 10)
    network.listener(ground, front, web_group, 80)
    services = []
    for name, group, env in (
        ("web", web_group, {"API_URL": by(front, "host", "http://{}/api"), "CACHE_HOST": by(cache, "host")}),
        ("api", api_group, {
            "DATABASE_URL": by(base, "host", "postgres://app@{}:5432/shop"), "ORDERS_TABLE": by_name(busy),
            "TOPIC_ARN": by_arn(events), "SERVICE_NAME": plain(first), "STAGE": plain("prod"),
        }),
        ("worker", None, {"QUEUE_URL": by(work, "url"), "TABLE_NAME": by_name(tables[2]), "LOG_LEVEL": plain("info")}),
    ):  # fmt: skip
        logs = watching.log_group(ground, f"/ecs/shop-{name}")
        given = {"DB_PASSWORD": secret, "BANNER": bare} if name == "api" else {}
        of = compute.task(ground, f"shop-{name}", acts, pulls, env, given=given, logs=logs)
        services.append(compute.service(ground, name, cluster, of, main.private, [tasks], group))
    compute.scaled(ground, "ecs", services[0], "service/shop/web", "ecs:service:DesiredCount")

    _functions(ground, common, first, third, busy, tables, events, data_bucket, plain_queue, dead)
    _edge(ground, common, front, pages)
    watching.alarm(ground, f"{first}-table-throttled", busy, [common.alarms])
    watching.alarm(ground, "shop 5xx", front, [common.alarms])
    watching.alarm(ground, "shop api cpu", services[1], [common.alarms])
    watching.alarm(ground, "shop-db cpu", base)
    watching.alarm(ground, f"{first}-events age", work, [common.alarms])
    return {"events": events, "table": busy, "key": key, "db": base, "stores": stores, "secret": secret,
            "parameter": stores_at, "queue": plain_queue}  # fmt: skip


def _functions(
    ground: Ground, common: Common, first: str, third: str, busy: Thing, tables: list[Thing], events: Thing,
    media: Thing, look_alike: Thing, dead: Thing,
) -> None:  # fmt: skip
    acts = identity.role(
        ground, "shop-functions", "lambda",
        [(["dynamodb:GetItem", "dynamodb:PutItem"], [busy, tables[3]]), ("sns:Publish", [events]),
         ("dynamodb:GetRecords", [f"{busy.arn}/stream/*"])],
    )  # fmt: skip
    thumbs = compute.function(ground, "shop-thumbnails", acts, {"BUCKET": by_name(media)})
    compute.permit(ground, thumbs, "s3", media)
    data.notify(ground, media, thumbs)
    indexer = compute.function(ground, f"{first}-indexer", acts, {"TARGET_TABLE": by_name(tables[3])})
    compute.feeds(ground, busy, indexer, gives_up=dead)
    drain = compute.function(ground, f"{first}-drain", common.shared, {"SOURCE_QUEUE": by_name(look_alike)})
    compute.feeds(ground, look_alike, drain)
    for number in range(ground.count(3)):
        word = f"shop-{third}-{number}"
        env = (
            {"TOPIC": by_arn(events), "REGION": plain(ground.region)} if number % 2 else {"DEBUG": plain("0")}
        )
        compute.function(ground, word, acts, env, gives_up=dead if number == 1 else None)
    orders = compute.function(ground, "shop-checkout", acts, {"TABLE": by_name(busy)})
    live = compute.published(ground, orders, "live")
    api = apis.http_api(ground, "shop")
    pool = apis.pool(ground, "shop-customers", {"PostConfirmation": thumbs})
    checked = apis.jwt(ground, api, pool)
    apis.route(ground, api, "POST /checkout", orders, checked=checked)
    compute.permit(ground, orders, "apigateway", ground.arn("execute-api", f"{api['id']}/*/*"), api)
    apis.route(ground, api, "GET /status", drain)
    apis.stage(ground, api, "$default", watching.log_group(ground, "/apigateway/shop"))
    watching.alarm(ground, "checkout errors", orders, [common.alarms])
    watching.alarm(ground, "shop http api 5xx", api)
    ground.maybe(api, "calls", live)


def _edge(ground: Ground, common: Common, front: Thing, pages: Thing) -> None:
    acl = doors.web_acl(ground, "shop-edge", edge=True, blocks="bad-guys")
    doors.shield(ground, doors.web_acl(ground, "shop-alb"), front)
    site = doors.distribution(
        ground, "shop pages", [pages, front], host=common.host("www"), shows=common.edge_certificate,
        acl=acl, logs=common.logs,
    )  # fmt: skip
    data.bucket_policy(ground, pages, site)
    doors.record(ground, common.zone, common.host("www"), site)
    check = doors.health_check(ground, "shop", common.host("shop"), front)
    named = doors.record(ground, common.zone, common.host("shop"), front, check=check)
    ground.maybe(check, "watches", named)
    doors.record(ground, common.zone, common.host("blog"), "ghs.example.net", alias=False)
