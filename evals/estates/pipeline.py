"""The data pipeline: streams, pipes, deliveries into a lake, a Kubernetes cluster for the rest, nightly machines."""

from __future__ import annotations

from evals.estates import compute, data, identity, machines, messages, network, watching
from evals.estates.common import OTHER, Common
from evals.estates.ground import Ground, Thing, by_arn, by_name, plain


def make(ground: Ground, common: Common, shop: dict[str, Thing], billing: dict[str, Thing]) -> None:
    main = common.main
    key = identity.key(ground, "lake")
    raw = data.bucket(ground, f"{common.company}-lake-raw", encrypted=key)
    clean = data.bucket(ground, f"{common.company}-lake-clean", encrypted=key)
    clicks = data.stream(ground, "clicks", key)
    enriched = data.stream(ground, "clicks-enriched")
    data.stream(ground, "clicks-test")
    errors = watching.log_group(ground, "/aws/kinesisfirehose/lake")
    acts = identity.role(
        ground, "lake-functions", "lambda",
        [("kinesis:*", [clicks, enriched]), ("s3:*", [raw, f"{raw.arn}/*", clean]), ("kms:*", [key])],
    )  # fmt: skip
    parse = compute.function(ground, "lake-parse", acts, {"OUT_STREAM": by_name(enriched)})
    mask = compute.function(ground, "lake-mask", acts, {"SALT_VERSION": plain("3")})
    dead = messages.queue(ground, "lake-failed")
    compute.feeds(ground, clicks, parse, gives_up=dead)
    writes = identity.role(ground, "lake-firehose", "firehose", [
        ("s3:PutObject", [f"{raw.arn}/*", f"{clean.arn}/*"]), ("kinesis:GetRecords", [clicks, enriched]),
        ("lambda:InvokeFunction", [mask])])  # fmt: skip
    ground.fact(writes, "may use", raw, clean)
    into = data.delivery(ground, "clicks-to-raw", acts=writes, into=raw, source=clicks, errors=errors)
    data.delivery(
        ground, "clean-to-lake", acts=writes, into=clean, source=enriched, through=mask, errors=errors
    )
    direct = data.delivery(ground, "audit-lines", acts=writes, into=raw)
    watching.alarm(ground, "raw is late", into, [common.alarms])
    watching.alarm(ground, "clicks behind", clicks, [common.alarms])
    for number in range(ground.count(3)):
        mine = messages.queue(ground, f"lake-step-{number}", gives_up=dead)
        step = compute.function(
            ground, f"lake-step-{number}", acts, {"OUT": by_arn(clean), "N": plain(str(number))}
        )
        compute.feeds(ground, mine, step)
    landed = messages.queue(ground, "lake-landed", gives_up=dead, admits=[raw])
    told = messages.topic(ground, "lake-clean")
    data.notify(ground, raw, landed)
    data.notify(ground, clean, told, parse)

    moves = identity.role(ground, "lake-pipes", "pipes", [
        ("dynamodb:*", [f"{shop['table'].arn}/stream/*"]), ("kinesis:PutRecord", [clicks]),
        ("lambda:InvokeFunction", [mask])])  # fmt: skip
    messages.pipe(ground, "orders-to-clicks", shop["table"], clicks, moves, mask)
    own = messages.bus(ground, "lake")
    sends = identity.role(
        ground, "lake-events", "events", [("kinesis:PutRecord", [clicks]), ("events:PutEvents", ["*"])]
    )
    pattern = {"source": ["lake"]}
    messages.rule(
        ground, "lake-done", [(landed, None), (clicks, sends)], on=own, pattern=pattern, gives_up=dead
    )
    messages.rule(ground, "lake-abroad", [(f"arn:aws:events:us-west-2:{OTHER}:event-bus/lake", sends)], on=own,
                  pattern=pattern)  # fmt: skip
    messages.subscribe(
        ground, told, compute.function(ground, "lake-notify", acts, {"TOPIC": plain("none")}), "lambda"
    )
    log = watching.log_group(ground, "lake/jobs")
    watching.sends(ground, log, direct, sends)
    watching.counts(ground, log, "Lake", "JobErrors")
    watching.counted_alarm(ground, "lake job errors", "Lake", "JobErrors", [common.alarms], log)

    _kubernetes(ground, common, key, clean)
    _nightly(ground, common, billing, raw)
    archive = data.bucket(ground, f"{common.company}-lake-archive", region="us-west-2")
    compute.function(ground, "lake-export", acts, {"BUCKET": by_name(archive)}, logs=False)
    network.endpoint(ground, "main-dynamodb", main, "dynamodb")


def _kubernetes(ground: Ground, common: Common, key: Thing, clean: Thing) -> None:
    main = common.main
    plane = identity.role(ground, "eks-cluster", "eks")
    works = identity.role(ground, "eks-nodes", "ec2", [("ecr:*", ["*"]), ("s3:GetObject", [clean])])
    disks = identity.role(ground, "eks-ebs-csi", "pods.eks", [("ec2:*Volume*", ["*"])])
    inside = network.group(ground, "eks-extra", main)
    network.admit(ground, inside, 443, inside)
    cluster = machines.kubernetes(ground, "analytics", plane, main.private, [inside], key)
    machines.nodes(ground, cluster, "general", works, main.private)
    machines.nodes(ground, cluster, "spot", works, main.private[:2])
    for name in ("coredns", "kube-proxy"):
        machines.addon(ground, cluster, name)
    machines.addon(ground, cluster, "aws-ebs-csi-driver", disks)


def _nightly(ground: Ground, common: Common, billing: dict[str, Thing], raw: Thing) -> None:
    """A container that a rule runs each night, and one that a workflow runs."""
    main = common.main
    pulls = identity.role(ground, "batch-execution", "ecs-tasks", [("ecr:*", ["*"])])
    acts = identity.role(
        ground, "batch-task", "ecs-tasks", [("dynamodb:Scan", [billing["ledger"]]), ("s3:PutObject", [raw])]
    )
    cluster = compute.ecs_cluster(ground, "batch")
    group = network.group(ground, "batch", main)
    logs = watching.log_group(ground, "/ecs/batch")
    of = compute.task(ground, "nightly-export", acts, pulls, {"LEDGER": by_name(billing["ledger"]), "TO": by_name(raw)},
                      logs=logs)  # fmt: skip
    runs = identity.role(
        ground, "batch-starter", "events", [("ecs:RunTask", [of]), ("iam:PassRole", [acts, pulls])]
    )
    how = {
        "TaskDefinitionArn": of.arn, "LaunchType": "FARGATE",
        "NetworkConfiguration": {
            "awsvpcConfiguration": {"Subnets": [one["id"] for one in main.private], "SecurityGroups": [group["id"]]},
        },
    }  # fmt: skip
    rule = messages.rule(ground, "nightly-export", [(cluster, runs)], every="cron(0 2 * * ? *)", runs=how)
    ground.fact(rule, "calls", of)
    ground.maybe(rule, "sits in", *main.private)
    ground.maybe(rule, "is guarded by", group)
    watching.alarm(ground, "nightly export did not start", rule)
    steps = identity.role(ground, "batch-workflow", "states", [("ecs:RunTask", [of])])
    messages.workflow(ground, "backfill", steps, {"run": messages.step(cluster, of)}, [cluster, of])
