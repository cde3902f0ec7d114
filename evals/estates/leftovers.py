"""What nobody dared to delete: things that look as if they belonged to something, and do not."""

from __future__ import annotations

from evals.estates import compute, data, databases, doors, identity, machines, messages, network, watching
from evals.estates.common import OTHER, Common
from evals.estates.ground import Ground, Thing, plain


def make(ground: Ground, common: Common, shop: dict[str, Thing]) -> None:
    near = shop["table"].name
    for name in (f"{near}-dlq", f"{near}2", f"{near}_old", "events", "test", "prod"):
        messages.queue(ground, name)
    for name in (f"{near}-backup-2019", f"{near}-v3", "sessions"):
        data.table(ground, name)
    for name in (f"{near}-alerts", "test", "prod"):
        messages.topic(ground, name)
    for name in ("/aws/lambda/shop-old-checkout", "/aws/lambda/orders", "/aws/rds/instance/shop-db-old/postgresql",
                 "/aws/apigateway/welcome", "/ecs/shop", "prod"):  # fmt: skip
        watching.log_group(ground, name)
    for number in range(ground.count(6)):
        network.group(ground, f"launch-wizard-{number + 1}", common.old, [(22, "203.0.113.7/32")])
    one = network.group(ground, "pair-a", common.old)
    network.admit(ground, network.group(ground, "pair-b", common.old, [(443, one)]), 80, "10.0.0.0/8")
    for number in range(ground.count(5)):
        machines.volume(ground, f"detached-{number}")
    lonely = machines.instance(ground, "do-not-stop", common.old.public[0], [one])
    watching.alarm(ground, "do-not-stop down", lonely)
    for name in ("deploy-bot", "AdminFromOtherAccount"):
        identity.role(ground, name, "", [("*", ["*"])], trusts=OTHER)
    for number in range(ground.count(5)):
        identity.role(ground, f"service-role-{ground.draw.randrange(10**6):06}", "lambda",
                      [("s3:ListBucket", [f"arn:aws:s3:::gone-{number}"])])  # fmt: skip
    identity.policy(ground, "AllowEverythingEverywhere", [("*", ["*"])])
    identity.policy(ground, "gone", [("sqs:*", [ground.arn("sqs", "deleted-queue")])])
    for name in (
        f"{common.company}-backup-old",
        f"{common.company}-shop-media-copy",
        "prod-dumps-do-not-use",
    ):
        data.bucket(ground, name)
    for name in ("legacy/api-key", "prod", near):
        identity.secret(ground, name, text="none")
    for name in (f"/legacy/{near}", "/shop/feature", "/prod/token"):
        identity.parameter(ground, name, plain("see wiki"))
    acts = identity.role(ground, "hello-world-role", "lambda")
    for number in range(ground.count(5)):
        env = {"TABLE": plain(f"{near}-that-was-deleted"), "ENV": plain("prod"), "NAME": plain(near)}
        compute.function(ground, f"test-{number}", acts, env if number % 2 else None, logs=number % 3 == 0)
    identity.key(ground, "unused")
    doors.certificate(ground, "old.example.com")
    doors.zone(ground, "parked.example.")
    network.targets(ground, "old-web", common.old)
    databases.parameters(ground, "old-tuning", "mysql8.0")
    compute.ecs_cluster(ground, "default")
    messages.rule(ground, "old-cron", [], every="rate(7 days)")
    messages.topic(ground, "budget-alarms", region=doors.EDGE)
    watching.log_group(ground, f"/aws/lambda/us-east-1.{common.company}-edge", region=doors.EDGE)
