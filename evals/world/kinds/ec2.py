"""EC2 instances that run middleware: nginx, Tomcat, MySQL, one after the other.

The machine is in `evals.world.hosts`, its programs in `evals.world.middleware`, their log lines in
`evals.world.voices_middleware`. What is set in files on a host (`config.*`) no describe answers; changing
it is a command through Systems Manager. The CloudWatch agent ships the logs, memory and
disk; without it there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from typing import Any

from evals.world.deeds_ec2 import change, create, tag
from evals.world.ec2_metrics import of_instance
from evals.world.flow import Flow
from evals.world.hosts import SIZES
from evals.world.instance_stage import InstanceStage
from evals.world.kinds import ebs
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.vpc import guards_of, identifier, network
from evals.world.lines import LogGroup
from evals.world.middleware import PROGRAMS
from evals.world.telemetry import Source
from evals.world.voices_middleware import FILES, Catalina
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

_TABLE = ["dynamodb:PutItem", "dynamodb:GetItem"]
_OPERATIONS = {
    "nginx": 0.1,
    "tomcat": 0.4,
    "mysql": 3.0,
}  # reads and writes on the disk that one request makes
_PATHS = {
    "nginx": "/var/log/nginx",
    "tomcat": "/opt/tomcat/logs",
    "mysql": "/var/log/mysql",
    "system": "/var/log",
}


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    runs = _runs(wish)
    kind = str(
        wish.settings.get("InstanceType") or seed.pick(f"type:{name}", ("m6i.large", "t3.large", "m5.large"))
    )
    if kind not in SIZES:
        raise BadInput(
            f"resources.{wish.id}: instance type {kind} is not modelled. Known: {', '.join(SIZES)}."
        )
    code, guards = identifier(seed, "i", name), guards_of(shop, wish)
    role = shop.role(f"{wish.options.get('family') or name}-role", wish.created, "ec2.amazonaws.com")
    thing = shop.add(
        world.arn("ec2", f"instance/{code}"), wish, {"id": code, **_fixed(shop, wish, runs, role, guards)}
    )
    zone = str(wish.options.get("zone") or seed.pick(f"zone:{name}", ("a", "c")))
    _place(shop, thing, guards, str(wish.options.get("where") or "private"), zone)
    _volume(shop, thing, wish)
    world.relate(thing.arn, "runs as", role.arn)
    defaults = _defaults(kind, guards, runs)
    for path in wish.settings:
        _check(path, defaults, f"resources.{wish.id}.settings")
    shop.settle(thing, wish, defaults)
    if "Name" not in wish.tags:
        thing.settings.set("tags.Name", thing.created, name)
    return thing


def _fixed(
    shop: Workshop, wish: Wish, runs: list[str], role: Thing, guards: Sequence[Thing]
) -> dict[str, Any]:
    """What never changes of an instance."""
    seed, name = shop.world.seed, wish.name
    return {
        "runs": runs,
        "port": int(wish.options.get("port") or PROGRAMS[runs[0]].port),
        "image": f"ami-0{seed.hex('image', 16)}",
        "reservation": f"r-0{seed.hex(f'reservation:{name}', 16)}",
        "interface": f"eni-0{seed.hex(f'eni:{name}', 16)}",
        "role": role.arn,
        "profile": role.name,
        "profile_id": "AIPA" + seed.letters(f"profile:{wish.options.get('family') or name}", 16),
        "key": seed.pick("key pair", ("ops", "platform", "main")),
        "security_groups": [one.arn for one in guards],
        "ships_logs": bool(wish.options.get("ships_logs", True)),
        "old_sdk": bool(wish.options.get("old_sdk", False)),
        "live": float(wish.options.get("heap_used", 0.52)),
        "cpu_ms": wish.options.get("cpu_ms"),
        "query_cpu_ms": wish.options.get("query_cpu_ms"),
        "disk_gb": int(wish.options.get("disk_gb") or 30),
        "request": str(wish.options.get("request") or "GET /"),
        "server_name": str(wish.options.get("server_name") or f"{name}.example.com"),
        "own_error": str(wish.options.get("own_error") or ""),
        "naming": seed.integer(f"log naming:{name}", 0, 2),
        "needs": [],
        "boot": seed.integer(f"boot:{name}", 38, 75),
        "restart": seed.integer(f"restart:{name}", 17, 34),
        "disk_used": 1 - float(wish.options.get("disk_free") or seed.between(f"disk:{name}", 0.42, 0.66)),
        "salt": seed.salt(f"ec2:{name}"),
    }


def _runs(wish: Wish) -> list[str]:
    given = wish.options.get("runs") or ["nginx"]
    runs = [given] if isinstance(given, str) else [str(one) for one in given]
    unknown = [one for one in runs if one not in PROGRAMS]
    if unknown or sorted(runs, key=list(PROGRAMS).index) != runs:
        raise BadInput(f"resources.{wish.id}.with.runs must be of {', '.join(PROGRAMS)}, in this order.")
    return runs


def _defaults(kind: str, guards: list[Thing], runs: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "InstanceType": kind,
        "State.Name": "running",
        "SecurityGroups": [one.fixed["id"] for one in guards],
        "MetadataOptions.HttpTokens": "optional",
        "MetadataOptions.HttpPutResponseHopLimit": 1,
        "MetadataOptions.HttpEndpoint": "enabled",
        "Monitoring.State": "disabled",
        "DisableApiTermination": False,
    }
    if SIZES[kind].earns:
        found["CreditSpecification.CpuCredits"] = "unlimited"
    own: dict[str, dict[str, Any]] = {
        "nginx": {"proxy_read_timeout": 60, "upstreams": 1},
        "tomcat": {"xmx_mb": SIZES[kind].memory_mb // 1024 * 512 or 512, "maxThreads": 200},
        "mysql": {"max_connections": 151, "wait_timeout": 28_800},
    }
    return found | {f"config.{one}.{name}": value for one in runs for name, value in own[one].items()}


def _check(path: str, known: Iterable[str], where: str) -> None:
    """A setting of a program that the instance does not run would change nothing."""
    if path.startswith("config.") and path not in known:
        listed = ", ".join(one for one in known if one.startswith("config.")) or "none"
        raise BadInput(f'{where}: nothing on this instance reads "{path}". Known: {listed}.')


def _place(shop: Workshop, thing: Thing, guards: list[Thing], where: str, zone: str) -> None:
    """Into one subnet, with an address of it."""
    world, parts = shop.world, network(shop)
    subnet = parts[f"{where}-{zone}"]
    block = ip_network(subnet.fixed["cidr"])
    thing.fixed |= {
        "subnets": [subnet.arn],
        "vpc": parts["vpc"].name,
        "zone": subnet.fixed["zone"],
        "address": str(block[world.seed.integer(f"address:{thing.name}", 11, 240)]),
    }
    world.relate(thing.arn, "in", subnet.arn)
    for guard in guards:
        world.relate(thing.arn, "guarded by", guard.arn)


def _volume(shop: Workshop, thing: Thing, wish: Wish) -> None:
    """The root volume, as ID_volume."""
    world, kind = shop.world, str(wish.options.get("volume") or "gp3")
    code = identifier(world.seed, "vol", thing.name)
    usual = max(_OPERATIONS[one] for one in thing.fixed["runs"])
    fixed = {
        "id": code,
        "instance": thing.arn,
        "zone": thing.fixed["zone"],
        "ios": float(wish.options.get("ios_per_request") or usual),
    }
    volume = shop.part(world.arn("ec2", f"volume/{code}"), "volume", code, thing.created, fixed)
    shop.set(volume, **ebs.settings(kind, thing.fixed["disk_gb"]))
    shop.made[f"{wish.id}_volume"] = volume
    thing.fixed |= {"volume": volume.arn, "root": volume}
    world.relate(thing.arn, "uses", volume.arn)


def _link(shop: Workshop, instance: Thing, target: Thing) -> None:
    """What its programs call; a table needs the role's permission."""
    shop.world.relate(instance.arn, "uses", target.arn)
    if target.kind == "table":
        shop.allow(instance, "table-access", list(_TABLE), target)
        instance.fixed["needs"].append(("dynamodb:PutItem", target.arn))
        for kind in ("writes", "reads"):
            shop.world.relate(instance.arn, kind, target.arn)


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    """Security groups as ids, however a case names them."""
    if path == "InstanceType" and value not in SIZES:
        raise BadInput(f"Instance type {value} is not modelled. Known: {', '.join(SIZES)}.")
    _check(path, thing.settings.steps, f"An event on {thing.name}")
    if path != "SecurityGroups":
        return value
    named = [value] if isinstance(value, str) else list(value)
    found = []
    for one in named:
        group = world.known.get(one) or world.things.get(one)
        group = group or next((each for each in world.of("security-group") if each.fixed["id"] == one), None)
        if group is None or group.kind != "security-group":
            raise BadInput(f'SecurityGroups names "{one}", which is no security group.')
        world.relate(thing.arn, "guarded by", group.arn)
        found.append(group.fixed["id"])
    return found


def _logs(shop: Workshop, thing: Thing, flow: Flow) -> Iterator[LogGroup]:
    if not thing.fixed["ships_logs"]:
        return
    for program in (*thing.fixed["runs"], "system"):
        for file, voice in FILES[program].items():
            held = shop.log_group(thing, _group_name(thing, program, file), flow)
            made = voice(flow=flow, stage=held["stage"])
            if isinstance(made, Catalina):
                made.own_error = thing.fixed["own_error"] or made.own_error
                made.prepare()
            yield LogGroup(**held, voice=made)


def _group_name(thing: Thing, program: str, file: str) -> str:
    """As people name log groups: by program, by a short name, or by the path of the file."""
    name, naming = thing.name, thing.fixed["naming"]
    if naming == 0:
        return f"/ec2/{name}/{file}" if program == "system" else f"/ec2/{name}/{program}/{file}"
    if naming == 1:
        short = file.rpartition(".")[0] or file
        return f"{name}-{short}" if short in ("catalina", "messages") else f"{name}-{program}-{short}"
    return f"/{name}{_PATHS[program]}/{file}"


def _metrics(thing: Thing, flow: Flow | None) -> Iterable[Source]:
    return of_instance(thing, flow)


KINDS = (
    Kind(
        name="instance",
        options={
            "runs": "programs in the order of requests, of nginx, tomcat, mysql",
            "ships_logs": "whether the CloudWatch agent runs (true by default)",
            "guarded_by": "ids of security groups",
            "where": "private or public subnet",
            "port": "on which its first program listens",
            "request": "what visitors ask for: GET /orders",
            "server_name": "its name in the DNS",
            "own_error": "what the application logs when a request of a user is wrong",
            "heap_used": "share of the heap that usually lives, 0.52 by default",
            "cpu_ms": "CPU time of a request in Tomcat",
            "query_cpu_ms": "CPU time of a request in MySQL",
            "disk_gb": "size of the root volume",
            "disk_free": "free share of its file system at first, by seed 0.42 to 0.66",
            "volume": "type of the root volume, ID_volume: gp3 or gp2",
            "ios_per_request": "reads and writes on it that one request makes",
            "old_sdk": "whether its programs ask the metadata service without a token",
        },
        settings={
            "InstanceType": "t3.large; change it while the instance is stopped",
            "State.Name": "running, stopped or terminated",
            "SecurityGroups": "ids of security groups",
            "MetadataOptions.HttpTokens": "optional or required",
            "MetadataOptions.HttpPutResponseHopLimit": "1 to 64",
            "MetadataOptions.HttpEndpoint": "enabled or disabled",
            "Monitoring.State": "enabled for metrics every minute",
            "CreditSpecification.CpuCredits": "standard or unlimited, of t types",
            "DisableApiTermination": "true or false",
            "config.": "a setting in a file on the host: nginx.proxy_read_timeout, nginx.upstreams, tomcat.xmx_mb, "
            "tomcat.maxThreads, mysql.max_connections, mysql.wait_timeout",
            "_heap_mb_per_hour": "nature: what the JVM's live memory grows by",
            "_disk_mb_per_hour": "nature: what the root file system fills by",
            "_slower_ms": "nature: how much longer the last program takes for a request",
            "_leaked_per_hour": "nature: connections to MySQL that nobody closes",
            "_other_mb": "nature: memory that other processes hold",
            "_cron_cpu": "nature: {share, minute, minutes, hour, command}: a scheduled job's share of the CPU",
            "_credits": "nature: CPU credits that are left",
            "_cert_expired": "nature: the certificate of its first program has run out",
            "_dead": "nature: name of a program that does not listen",
            "_down": "nature: the first program does not listen",
            "_status_failed": "nature: instance or system, the status check that fails",
            "_bug": "nature: {share, text}: requests that fail in the code of the application",
        },
        innocent=(("DisableApiTermination", True),),
        make=_make,
        link=_link,
        stage=InstanceStage,
        metrics=_metrics,
        logs=_logs,
        change=change,
        create=create,
        tag=tag,
        kept=_kept,
        dimensions=lambda thing: {"name": thing.name, "id": str(thing.fixed["id"])},
    ),
)
