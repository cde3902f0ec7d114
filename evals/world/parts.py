"""Makes resources of a world with all that belongs to them: roles, log groups, relations, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evals.world import metrics
from evals.world.flow import Flow
from evals.world.lines import LogGroup
from evals.world.world import Thing, World
from tools.models import Json


@dataclass(frozen=True, slots=True)
class Parts:
    """A workshop for one world."""

    world: World

    def _made(self, arn: str, kind: str, name: str, created: datetime, fixed: Json) -> Thing:
        region = "" if kind == "role" else self.world.region
        return self.world.add(Thing(arn, kind, name, region, created, fixed))

    def _settle(self, thing: Thing, settings: dict[str, Any], tags: dict[str, str]) -> Thing:
        for path, value in settings.items():
            thing.settings.set(path, thing.created, value)
        for key, value in tags.items():
            thing.settings.set(f"tags.{key}", thing.created, value)
        return thing

    def table(self, name: str, created: datetime, settings: dict[str, Any], tags: dict[str, str]) -> Thing:
        world, seed = self.world, self.world.seed
        fixed = {
            "id": seed.uuid(f"table:{name}"),
            "lag": seed.integer(f"lag:{name}", 5, 40),
            "named_by": seed.pick(f"named:{name}", ("name", "arn")),
            "listed_by": seed.pick("listed", ("arn", "name")),
        }
        thing = self._made(world.arn("dynamodb", f"table/{name}"), "table", name, created, fixed)
        return self._settle(thing, {"BillingMode": "PAY_PER_REQUEST"} | settings, tags)

    def queue(self, name: str, created: datetime, dead_letter: Thing | None, tags: dict[str, str]) -> Thing:
        fixed: Json = {"dead_letter": dead_letter.arn if dead_letter else ""}
        thing = self._made(self.world.arn("sqs", name), "queue", name, created, fixed)
        if dead_letter:
            self.world.relate(thing.arn, "sends failures to", dead_letter.arn)
        retention = 345_600 if dead_letter else 1_209_600
        return self._settle(thing, {"VisibilityTimeout": 180, "MessageRetentionPeriod": retention}, tags)

    def function(self, name: str, created: datetime, settings: dict[str, Any], tags: dict[str, str]) -> Thing:
        """A function with its role and, once it has a flow, its log group."""
        world, seed = self.world, self.world.seed
        role_name = f"{name}-role"
        role = self._made(world.iam_arn(f"role/{role_name}"), "role", role_name, created, {"policies": {}})
        fixed = {
            "runtime": seed.pick(f"runtime:{name}", ("python3.12", "python3.13")),
            "role": role.arn,
            "revision": seed.uuid(f"revision:{name}"),
            "policy": [],
        }
        thing = self._made(world.arn("lambda", f"function:{name}"), "function", name, created, fixed)
        world.relate(thing.arn, "runs as", role.arn)
        return self._settle(thing, {"Timeout": 30, "MemorySize": 256} | settings, tags)

    def uses_table(self, function: Thing, table: Thing) -> None:
        """Give a function the table's name and the permission to write to it."""
        function.settings.set("Environment.TABLE_NAME", function.created, table.name)
        role = self.world.things[function.fixed["role"]]
        actions = ["dynamodb:PutItem", "dynamodb:GetItem"]
        role.fixed["policies"]["table-access"] = [
            {"Effect": "Allow", "Action": actions, "Resource": table.arn}
        ]
        for kind in ("writes", "reads", "uses"):
            self.world.relate(function.arn, kind, table.arn)
        self._may(function, role, table)

    def _may(self, function: Thing, role: Thing, target: Thing) -> None:
        """What a role's policy allows is true of the role and of the function that runs as it."""
        for kind in ("may read", "may write", "may use"):
            self.world.relate(role.arn, kind, target.arn)
            self.world.relate(function.arn, kind, target.arn)

    def api(
        self, kind: str, name: str, created: datetime, route: str, function: Thing, tags: dict[str, str]
    ) -> Thing:
        world, seed = self.world, self.world.seed
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        code = seed.letters(f"api:{name}", 10, alphabet)
        rest = kind == "rest-api"
        fixed = {
            "id": code,
            "stage": "prod" if rest else "$default",
            "route": route,
            "route_id": seed.letters(f"route:{name}", 7, alphabet),
            "integration": seed.letters(f"integration:{name}", 7, alphabet),
            "deployment": seed.letters(f"deployment:{name}", 6, alphabet),
            "root": seed.letters(f"root:{name}", 10, alphabet),
            "function": function.arn,
        }
        path = "restapis" if rest else "apis"
        arn = f"arn:{world.partition}:apigateway:{world.region}::/{path}/{code}"
        thing = self._made(arn, kind, name, created, fixed)
        source = world.arn(
            "execute-api", f"{code}/*/{route.replace(' ', '') if rest else '*' + route.split(' ')[1]}"
        )
        function.fixed["policy"].append(
            {
                "Sid": f"allow-{name}",
                "Effect": "Allow",
                "Principal": {"Service": "apigateway.amazonaws.com"},
                "Action": "lambda:InvokeFunction",
                "Resource": function.arn,
                "Condition": {"ArnLike": {"AWS:SourceArn": source}},
            }
        )
        world.relate(thing.arn, "invokes", function.arn)
        return self._settle(thing, {}, tags)

    def mapping(self, queue: Thing, function: Thing) -> Thing:
        """An event source mapping."""
        code = self.world.seed.uuid(f"mapping:{queue.name}:{function.name}")
        arn = self.world.arn("lambda", f"event-source-mapping:{code}")
        fixed = {"source": queue.arn, "function": function.arn}
        role = self.world.things[function.fixed["role"]]
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        role.fixed["policies"]["queue-access"] = [
            {"Effect": "Allow", "Action": actions, "Resource": queue.arn}
        ]
        self._may(function, role, queue)
        self.world.relate(queue.arn, "triggers", function.arn)
        self.world.relate(queue.arn, "read by", arn)
        self.world.relate(arn, "feeds", function.arn)
        thing = self._made(arn, "mapping", code, queue.created, fixed)
        return self._settle(thing, {"State": "Enabled", "BatchSize": 10}, {})

    def logs(
        self, function: Thing, flow: Flow, table: Thing | None, own_error: str, tenants: tuple[str, ...]
    ) -> LogGroup:
        world, seed = self.world, self.world.seed
        name = f"/aws/lambda/{function.name}"
        created = function.created + timedelta(minutes=3)
        thing = self._made(world.arn("logs", f"log-group:{name}"), "log-group", name, created, {})
        world.relate(function.arn, "logs to", thing.arn)
        group = LogGroup(
            name=name,
            arn=thing.arn,
            flow=flow,
            function=function.name,
            memory=int(function.at("MemorySize", function.created)),
            salt=seed.salt(f"logs:{name}"),
            created=created,
            delay=seed.integer(f"ingestion:{name}", 3, 9),
            retention=seed.pick(f"retention:{name}", (14, 30, 90, None)),
            table_arn=table.arn if table else "",
            wording=seed.integer(f"wording:{function.name}", 0, 1),
            own_error=own_error,
            tenants=tenants,
        )
        world.log_groups[name] = group
        return group

    def emit(self, thing: Thing, flow: Flow | None) -> None:
        """Register the metrics that a resource emits for a flow."""
        telemetry = self.world.telemetry
        if flow is not None:
            flow.arns.append(thing.arn)
        if thing.kind == "queue":
            thing.fixed["flow"] = flow.name if flow else ""
            telemetry.add(*metrics.queue_metrics(thing, flow))
        elif flow is None:
            raise ValueError(f"{thing.name} has no flow")
        elif thing.kind == "function":
            telemetry.add(*metrics.lambda_metrics(thing, flow))
        elif thing.kind in ("http-api", "rest-api"):
            telemetry.add(*metrics.api_metrics(thing, flow, refused=flow.demand.salt % 40))
        elif thing.kind == "table":
            telemetry.add(
                *metrics.table_metrics(thing, flow), *metrics.limit_metrics(thing, int(thing.fixed["lag"]))
            )
