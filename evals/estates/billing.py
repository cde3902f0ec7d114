"""Billing: a REST API, workflows, schedules, an Aurora cluster; careful people with keys and dead letters."""

from __future__ import annotations

from evals.estates import apis, compute, data, databases, doors, identity, messages, network, watching
from evals.estates.common import OTHER, Common
from evals.estates.ground import Ground, Thing, by, by_arn, by_name, foreign, plain


def make(ground: Ground, common: Common, shop: dict[str, Thing]) -> dict[str, Thing]:
    main = common.main
    key = identity.key(ground, "billing")
    word = ground.pick(("invoices", "bills", "statements", "charges"))
    base_group = network.group(ground, "billing-db", main)
    calls = network.group(ground, "billing-functions", main)
    network.admit(ground, base_group, 5432, calls)
    network.admit(ground, shop["stores"], 5432, calls)
    place = databases.subnet_group(ground, "billing", main.private)
    cluster = databases.cluster(ground, "billing", place, [base_group], members=2, encrypted=key)
    papers = data.bucket(ground, f"{common.company}-{word}", encrypted=key, logs_to=common.logs)
    dead = messages.queue(ground, f"{word}-dlq", encrypted=key)
    queue = messages.queue(ground, word, gives_up=dead, encrypted=key, admits=[shop["events"]])
    messages.subscribe(ground, shop["events"], queue, "sqs")
    done = messages.topic(ground, f"{word}-done", key)
    ledger = data.table(ground, "ledger", encrypted=key)

    rotates = identity.role(ground, "billing-rotation", "lambda", [("secretsmanager:*", ["*"])])
    rotator = compute.function(
        ground, "billing-secret-rotation", rotates, subnets=main.private, groups=[calls]
    )
    secret = identity.secret(ground, "billing/aurora", key, rotator)
    outside = identity.parameter(
        ground, "/billing/bank-url", plain("https://bank.example.net/v2"), secure=True
    )
    policy = identity.policy(
        ground, "billing-data", [(["dynamodb:*"], [ledger]), (["s3:PutObject"], [papers])]
    )
    acts = identity.role(
        ground, "billing-functions", "lambda",
        [(["sqs:ReceiveMessage", "sqs:DeleteMessage"], [queue]), ("kms:Decrypt", [key]),
         ("secretsmanager:GetSecretValue", [secret]), ("ssm:GetParameter", [outside]),
         ("sts:AssumeRole", [f"arn:aws:iam::{OTHER}:role/bank-export"])],
        [policy],
    )  # fmt: skip
    made: list[Thing] = []
    env = {
        "LEDGER_TABLE": by_name(ledger), "DB_HOST": by(cluster, "host"), "DB_SECRET_ARN": by_arn(secret),
        "BANK_URL_PARAM": by_name(outside), "TEAM": plain("billing"),
    }  # fmt: skip
    for name in ("create", "render", "send", "settle"):
        made.append(
            compute.function(
                ground, f"{word}-{name}", acts, env if name != "render" else {"BUCKET": by_name(papers)},
                subnets=main.private, groups=[calls], encrypted=key if name == "create" else None,
                gives_up=dead if name == "send" else None,
            )
        )  # fmt: skip
    create, render, send, settle = made
    compute.feeds(ground, queue, create)
    peek = compute.function(ground, f"{word}-peek", common.shared, {
        "ROLE": foreign(f"arn:aws:iam::{OTHER}:role/bank-export"),
        "MIRROR": foreign(f"arn:aws:sqs:us-west-2:{OTHER}:{word}"),
    })  # fmt: skip
    runs = identity.role(
        ground, "billing-workflows", "states",
        [("lambda:InvokeFunction", [create, render, send]), ("sns:Publish", [done]), ("states:*", ["*"])],
    )  # fmt: skip
    logs = watching.log_group(ground, "/aws/vendedlogs/states/monthly", key)
    small = messages.workflow(
        ground, "charge-one-customer", runs,
        {"make": messages.invoke(create, create.name), "record": messages.step(ledger)}, [create, ledger],
    )  # fmt: skip
    monthly = messages.workflow(
        ground, "monthly-run", runs,
        {"each": messages.step(small), "render": messages.step(render), "send": messages.invoke(send, send.arn),
         "queue": messages.step(queue), "tell": messages.step(done)},
        [small, render, send, queue, done], logs,
    )  # fmt: skip
    starts = identity.role(ground, "billing-scheduler", "scheduler", [("states:StartExecution", [monthly]),
                                                                     ("lambda:InvokeFunction", [settle])])  # fmt: skip
    messages.schedule(ground, "billing-monthly", monthly, starts, gives_up=dead, every="cron(0 3 1 * ? *)")
    for number in range(ground.count(2)):
        messages.schedule(ground, f"settle-{number}", settle, starts)

    pool = apis.pool(ground, "staff")
    api = apis.rest_api(
        ground, "billing", {f"/{word}": create, "/peek": peek, "/later": queue}, pool=pool,
        logs=watching.log_group(ground, "/apigateway/billing"),
    )  # fmt: skip
    compute.permit(ground, create, "apigateway", ground.arn("execute-api", f"{api['id']}/*/POST/*"), api)
    domain = apis.api_name(ground, common.host("billing"), common.certificate, api)
    doors.record(ground, common.zone, common.host("billing"), domain)
    doors.record(ground, common.inner, f"db.{common.company}.internal", cluster, alias=False, kind="CNAME")
    stage_acl = doors.web_acl(ground, "billing-api")
    doors.shield(ground, stage_acl, api)

    failing = watching.alarm(ground, "monthly-run failed", monthly, [common.alarms])
    late = watching.alarm(ground, f"{word} waiting", queue, [common.alarms])
    watching.alarm(ground, "billing-db connections", cluster, [common.alarms])
    watching.alarm(ground, "billing rest 5xx", api)
    watching.composite(ground, "billing unhealthy", [failing, late], [common.alarms])
    watching.sends(ground, logs, compute.function(ground, "billing-log-alerts", common.shared))
    reads = identity.role(ground, "appconfig-reader", "appconfig", [("ssm:GetDocument", ["*"])])
    watching.flags(ground, "billing", guards=[(failing, reads)], held_in=outside, acts=reads)
    return {"ledger": ledger, "done": done, "cluster": cluster, "key": key, "papers": papers}
