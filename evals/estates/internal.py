"""Internal tools: machines behind balancers, a wiki, a build box, small functions that watch the account."""

from __future__ import annotations

from evals.estates import apis, compute, databases, doors, identity, machines, messages, network, watching
from evals.estates.common import Common
from evals.estates.ground import Ground, Thing, by, by_name, plain


def make(ground: Ground, common: Common, shop: dict[str, Thing]) -> None:
    office = common.office
    outer = network.group(ground, "tools-lb", office, [(443, "203.0.113.0/24")])
    inner = network.group(ground, "tools-web", office, [(80, outer)])
    base_group = network.group(ground, "wiki", office, [(3306, inner)])
    acts = identity.role(ground, "tools-machines", "ec2", [("s3:GetObject", ["*"]), ("ssm:*", ["*"])])
    carries = identity.profile(ground, acts)
    boxes: list[Thing] = []
    for name in ("wiki-1", "wiki-2", "jenkins"):
        place = office.private[len(boxes) % len(office.private)]
        boxes.append(machines.instance(ground, name, place, [inner], carries))
    machines.volume(ground, "jenkins-data", boxes[2], common.key)
    place = databases.subnet_group(ground, "tools", office.private)
    watches = identity.role(ground, "rds-monitoring", "monitoring.rds")
    wiki = databases.database(ground, "wiki", place, [base_group], engine="mysql", watched_as=watches)
    front = network.balancer(ground, "tools", office.public, [outer])
    group = network.targets(ground, "wiki", office, "instance", 80, boxes[:2])
    builds = network.targets(ground, "jenkins", office, "instance", 8080, boxes[2:])
    secure = network.listener(ground, front, group, 443, common.certificate)
    network.rule(ground, secure, "/builds/*", builds, 5)
    doors.record(ground, common.zone, common.host("wiki"), front)
    doors.record(ground, common.inner, f"wiki-db.{common.company}.internal", wiki, alias=False, kind="CNAME")

    through = network.balancer(ground, "tools-tcp", office.private, kind="network", internal=True)
    tcp = _tcp_targets(ground, common)
    network.listener(ground, through, tcp, 9000, secure="TLS")
    template = machines.launch_template(ground, "runners", [inner], carries)
    runners = machines.scaling_group(ground, "build-runners", template, office.private, [tcp], common.alarms)
    grows = machines.scaling_policy(ground, runners, "one-more")
    watching.alarm(ground, "runners busy", runners, [grows])
    watching.alarm(ground, "jenkins down", boxes[2], [common.alarms])
    watching.alarm(ground, "wiki cpu", wiki, [common.alarms])

    sweeps = identity.role(
        ground, "account-sweeper", "lambda", [("*", ["*"])]
    )  # an admin role: everything is allowed, nothing is told
    names = (
        "find-untagged",
        "stop-idle",
        "cost-report",
        "key-age",
        "open-groups",
        "snapshot-old",
        "lint-policies",
    )
    for name in ground.some(names, max(2, round(4 * ground.size)), len(names)):
        of = compute.function(ground, name, sweeps, {"DRY_RUN": plain("false"), "CHANNEL": plain("#ops")})
        rule = messages.rule(ground, f"run-{name}", [(of, None)], every="rate(1 day)")
        compute.permit(ground, of, "events", rule)
    report = compute.function(
        ground, "slack-relay", common.shared,
        {"WIKI": by(wiki, "host", "mysql://{}/wiki"), "WATCH_QUEUE": by_name(shop["queue"]), "HOOK": plain("https://hooks.example.com/x")},
    )  # fmt: skip
    messages.subscribe(ground, common.alarms, report, "lambda")
    compute.permit(ground, report, "sns", common.alarms)

    api = apis.http_api(ground, "tools")
    reach = apis.link(ground, "tools", office.private, [inner])
    secure.says["link"] = reach["id"]
    apis.route(ground, api, "ANY /builds/{proxy+}", secure)
    ground.fact(api, "calls", reach)
    apis.stage(ground, api, "prod")
    hello = compute.function(ground, "status-page", common.shared)
    network.listener(ground, front, network.targets(ground, "status", office, "lambda", of=[hello]), 8443)


def _tcp_targets(ground: Ground, common: Common) -> Thing:
    made = ground.call(
        "elbv2", "CreateTargetGroup",
        Name="runners", TargetType="instance", Protocol="TCP", Port=9000, VpcId=common.office.vpc["id"],
    )["TargetGroups"][0]  # fmt: skip
    thing = ground.add("target group", made["TargetGroupArn"], "runners")
    ground.fact(thing, "lies in", common.office.vpc)
    return thing
