"""AppConfig: which version of a configuration is deployed where. The contents of configurations are never read.

A `configuration` is one profile in one environment, as IAM names it; its `config` is the newest deployment of it
that counts (GetDeployment), with `CompletedVersion`, the version of the newest one that is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import touches_tagged
from tools.errors import BadInput, NotThere
from tools.kit import call, here, optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Directory,
    Effect,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Answer, Reader

_SOURCE = "appconfig.amazonaws.com"
_MOST_APPLICATIONS = 10
_COUNTS = ("COMPLETE", "BAKING", "VALIDATING", "DEPLOYING")
_UNDER_WAY = ("BAKING", "VALIDATING", "DEPLOYING")
_AT_ONCE = "AppConfig.AllAtOnce"  # a strategy that every account has


# -- what an event touches --------------------------------------------------------------------------


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The configuration, profile, environment or strategy that the request names, the nearest first."""
    places = (event.request, event.response)
    named = {
        key: next((told for place in places if (told := text(place, key))), "")
        for key in ("applicationId", "environmentId", "configurationProfileId", "deploymentStrategyId")
    }
    application, environment = named["applicationId"], named["environmentId"]
    profile, strategy = named["configurationProfileId"], named["deploymentStrategyId"]
    found: list[str] = []
    if application and environment and profile:
        found.append(f"application/{application}/environment/{environment}/configuration/{profile}")
    if application and environment:
        found.append(f"application/{application}/environment/{environment}")
    if application and profile:
        found.append(f"application/{application}/configurationprofile/{profile}")
    if application and not found:
        found.append(f"application/{application}")
    if strategy and not found:
        found.append(f"deploymentstrategy/{strategy}")
    return tuple(here(event, "appconfig", one) for one in found)


def _touches_made(event: ChangeEvent) -> tuple[str, ...]:
    """What a Create operation made: its id is in the answer."""
    if told := _touches(event):
        return told
    id, kind = text(event.response, "id"), event.operation.removeprefix("Create")
    word = {"Application": "application", "DeploymentStrategy": "deploymentstrategy"}.get(kind, "")
    return (here(event, "appconfig", f"{word}/{id}"),) if id and word else ()


def _ids(arn: str) -> dict[str, str]:
    """{"application": id, "environment": id, ...} of an ARN."""
    words = arns.parse(arn).resource.split("/")
    return dict(zip(words[::2], words[1::2], strict=False))


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Applications, and of the first ten their environments, profiles and the pairs of both."""
    found = reader.pages("appconfig", "ListApplications", "Items", region=region, MaxResults=50)
    at = partial(arns.build, "appconfig", region, reader.aws.account)
    for number, item in enumerate(found.items):
        application = f"application/{item['Id']}"
        yield _made(at(application), "application", str(item["Name"]), item, found.evidence)
        if number < _MOST_APPLICATIONS:
            yield from _parts(reader, region, item, at)
    if len(found.items) > _MOST_APPLICATIONS:
        reader.missing(
            "Some AppConfig applications",
            f"{len(found.items)} exist; those after the first {_MOST_APPLICATIONS} were not looked into",
            "their environments and configurations",
            code="BudgetSpent",
        )


def _parts(reader: Reader, region: str, application: Mapping[str, Any], at: Any) -> Iterable[Resource]:
    id, name = str(application["Id"]), str(application["Name"])
    lists = {
        operation: reader.pages(
            "appconfig",
            operation,
            "Items",
            region=region,
            ApplicationId=id,
            MaxResults=50,
        )
        for operation in ("ListEnvironments", "ListConfigurationProfiles")
    }
    environments, profiles = lists["ListEnvironments"], lists["ListConfigurationProfiles"]
    head = f"application/{id}"
    for one in environments.items:
        place = f"{head}/environment/{one['Id']}"
        yield _made(at(place), "environment", f"{name}/{one['Name']}", one, environments.evidence)
    for one in profiles.items:
        place = f"{head}/configurationprofile/{one['Id']}"
        yield _made(at(place), "configuration-profile", f"{name}/{one['Name']}", one, profiles.evidence)
        for where in environments.items:
            place = f"{head}/environment/{where['Id']}/configuration/{one['Id']}"
            title = f"{name}/{where['Name']}/{one['Name']}"
            pair = {
                "ApplicationId": id,
                "EnvironmentId": str(where["Id"]),
                "ConfigurationProfileId": str(one["Id"]),
                "ConfigurationName": str(one["Name"]),
            }
            evidence = (*environments.evidence, *profiles.evidence)
            yield _made(at(place), "configuration", title, pair, evidence)


def _made(arn: str, type: str, name: str, item: Mapping[str, Any], evidence: Iterable[str]) -> Resource:
    """Names are whole, application/environment/profile: "prod" alone would mean many things."""
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="appconfig",
        type=type,
        name=name,
        account=parts.account,
        region=parts.region,
        config=plain(item),
        evidence=tuple(dict.fromkeys(id for id in evidence if id)),
    )


_READS = {
    # type -> operation, what it is called in a gap, parameters from words of the ARN
    "application": ("GetApplication", {"ApplicationId": "application"}),
    "environment": ("GetEnvironment", {"ApplicationId": "application", "EnvironmentId": "environment"}),
    "configuration-profile": (
        "GetConfigurationProfile",
        {"ApplicationId": "application", "ConfigurationProfileId": "configurationprofile"},
    ),
    "deployment-strategy": ("GetDeploymentStrategy", {"DeploymentStrategyId": "deploymentstrategy"}),
}


def describe(reader: Reader, arn: str) -> Resource | None:
    """An application, environment, profile or strategy as it is; of a configuration what is deployed."""
    ids, region = _ids(arn), arns.parse(arn).region
    if "configuration" in ids:
        return _describe_configuration(reader, arn, ids, region)
    type = {"configurationprofile": "configuration-profile", "deploymentstrategy": "deployment-strategy"}
    word = list(ids)[-1]
    kind = type.get(word, word)
    if kind not in _READS:
        return None
    operation, members = _READS[kind]
    sent = {member: ids[name] for member, name in members.items()}
    try:
        answer = reader.ask("appconfig", operation, region=region, **sent)
    except NotThere:
        return None
    name = str(answer.data.get("Name") or ids[word])
    evidence = [answer.evidence]
    if word in ("environment", "configurationprofile"):
        above = _application(reader, region, ids["application"])
        name = f"{text(above.data, 'Name') or ids['application']}/{name}" if above else name
        evidence += [above.evidence] if above else []
    return _made(arn, kind, name, answer.data, evidence)


def _application(reader: Reader, region: str, id: str) -> Answer | None:
    what = "Name of an AppConfig application"
    return optional(reader, "appconfig", "GetApplication", what, region=region, ApplicationId=id)


def _describe_configuration(reader: Reader, arn: str, ids: dict[str, str], region: str) -> Resource | None:
    application, environment, profile = (
        ids["application"],
        ids["environment"],
        ids["configuration"],
    )
    try:
        held = reader.ask(
            "appconfig",
            "GetConfigurationProfile",
            region=region,
            ApplicationId=application,
            ConfigurationProfileId=profile,
        )
    except NotThere:
        return None
    at: Json = {"region": region, "ApplicationId": application, "EnvironmentId": environment}
    where = optional(reader, "appconfig", "GetEnvironment", "Name of an environment", **at)
    above = _application(reader, region, application)
    name = str(held.data.get("Name") or profile)
    evidence = [held.evidence, *(one.evidence for one in (where, above) if one)]
    config: Json = {
        "ApplicationId": application,
        "EnvironmentId": environment,
        "ConfigurationProfileId": profile,
        "ConfigurationName": name,
        "LocationUri": held.data.get("LocationUri"),
    }
    deployed = _deployments(reader, region, application, environment, name)
    newest = next((one for one in deployed if one[0].get("State") in _COUNTS), None)
    if newest is not None:
        evidence.append(newest[1])
        number = int(newest[0]["DeploymentNumber"])
        shown = optional(
            reader, "appconfig", "GetDeployment", "The newest deployment", DeploymentNumber=number, **at
        )
        evidence += [shown.evidence] if shown else []
        config = {**newest[0], **(shown.data if shown else {}), **config}
        complete = next((one for one, _ in deployed if one.get("State") == "COMPLETE"), {})
        config["CompletedVersion"] = complete.get("ConfigurationVersion")
    titles = [
        text(above.data, "Name") if above else "",
        text(where.data, "Name") if where else "",
        name,
    ]
    whole_name = "/".join(title or id for title, id in zip(titles, ids.values(), strict=True))
    return _made(arn, "configuration", whole_name, config, evidence)


def _deployments(
    reader: Reader, region: str, application: str, environment: str, profile: str
) -> list[tuple[Json, str]]:
    """Deployments of the profile of that name, newest first, each with its evidence. [] with a gap when refused."""
    found: list[tuple[Json, str]] = []
    with reader.seeing("Deployments of a configuration", "which version was deployed when"):
        pages = reader.pages(
            "appconfig",
            "ListDeployments",
            "Items",
            region=region,
            limit=4,
            ApplicationId=application,
            EnvironmentId=environment,
            MaxResults=50,
        )
        found = [
            (item, pages.of(number, 50))
            for number, item in enumerate(pages.items)
            if item.get("ConfigurationName") == profile
        ]
    return sorted(found, key=lambda one: -int(one[0].get("DeploymentNumber", 0)))


def versions(reader: Reader, resource: Resource) -> Iterable[tuple[str, datetime, Json, str]]:
    """The completed deployments of a configuration: what each deployed never changes."""
    if resource.type != "configuration":
        return
    config = resource.config
    ids = (text(config, "ApplicationId"), text(config, "EnvironmentId"), text(config, "ConfigurationName"))
    for item, evidence in _deployments(reader, resource.region, *ids) if all(ids) else ():
        made = item.get("StartedAt") or item.get("CompletedAt")
        if item.get("State") == "COMPLETE" and made is not None:
            shown = {"Items": [{"ConfigurationVersion": item["ConfigurationVersion"]}]}
            yield str(item["DeploymentNumber"]), made, shown, evidence


# -- relations --------------------------------------------------------------------------------------

_LOCATIONS = {
    "ssm-parameter": ("ssm", "parameter/{}"),
    "ssm-document": ("ssm", "document/{}"),
    "secretsmanager": ("secretsmanager", "secret:{}"),
    "codepipeline": ("codepipeline", "{}"),
}


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Where a configuration lives, where its profile keeps it, what rolls it back, which programs ask for it."""
    config = resource.config
    if resource.type == "configuration":
        head, _, profile = resource.arn.rpartition("/configuration/")
        application = head.rpartition("/environment/")[0]
        said_by = "appconfig:ListDeployments"
        yield relation(resource, f"{application}/configurationprofile/{profile}", "uses", said_by)
        yield relation(resource, head, "deployed in", said_by)
        yield from _asked_for(resource, directory)
    if resource.type == "configuration-profile":
        yield from _kept_in(resource)
    for monitor in config.get("Monitors") or [] if resource.type == "environment" else ():
        if alarm := text(monitor, "AlarmArn"):
            yield Relation(
                source=alarm,
                target=resource.arn,
                kind="watches",
                provenance="appconfig:GetEnvironment Monitors",
                evidence=resource.evidence,
            )


def _kept_in(profile: Resource) -> Iterable[Relation]:
    said_by = "appconfig:GetConfigurationProfile"
    if role := text(profile.config, "RetrievalRoleArn"):
        yield relation(profile, role, "runs as", f"{said_by} RetrievalRoleArn")
    kind, _, name = text(profile.config, "LocationUri").partition("://")
    if kind == "s3" and name:
        bucket = f"arn:{arns.partition_of(profile.region)}:s3:::{name.partition('/')[0]}"
        yield relation(profile, bucket, "uses", f"{said_by} LocationUri")
    elif kind in _LOCATIONS and name:
        service, pattern = _LOCATIONS[kind]
        target = name if arns.is_arn(name) else ""
        target = target or arns.build(
            service, profile.region, profile.account, pattern.format(name.lstrip("/"))
        )
        yield relation(profile, target, "uses", f"{said_by} LocationUri")


def _asked_for(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Programs whose variables name application, environment and profile, in one path or one by one."""
    names = resource.name.split("/")
    ids = [text(resource.config, key) for key in ("ApplicationId", "EnvironmentId", "ConfigurationProfileId")]
    if len(names) != 3 or not all(ids):
        return
    told = [{name, id} for name, id in zip(names, ids, strict=True)]
    for program in directory.of("function", "task-definition"):
        variables = _variables(program)
        path = any(_in_path(value, told) for value in variables.values())
        if path or all(known & set(variables.values()) for known in told):
            yield Relation(
                source=program.arn,
                target=resource.arn,
                kind="uses",
                provenance="environment variables that name application, environment and profile",
                confidence=0.9 if path else 0.7,
                evidence=program.evidence,
            )


def _asks(resource: Resource) -> bool:
    """Whether a program has AppConfig's agent, extension or a variable of its own that names it."""
    if resource.type not in ("function", "task-definition"):
        return False
    layers = (text(one, "Arn") for one in resource.config.get("Layers") or [])
    images = (text(one, "image") for one in resource.config.get("containerDefinitions") or [])
    variables = _variables(resource)
    said = (*layers, *images, *variables, *variables.values())
    return any("appconfig" in word.lower().replace("-", "").replace("_", "") for word in said)


def _in_path(value: str, told: list[set[str]]) -> bool:
    """Whether a variable of the agent or extension names it: /applications/A/environments/E/configurations/P."""
    for one in value.split(","):
        words = one.strip().strip("/").split("/")
        if words[::2] == ["applications", "environments", "configurations"] and len(words) == 6:
            return all(word in known for word, known in zip(words[1::2], told, strict=True))
    return False


def _variables(program: Resource) -> dict[str, str]:
    own = (program.config.get("Environment") or {}).get("Variables") or {}
    found = {str(key): str(value) for key, value in own.items()}
    for container in program.config.get("containerDefinitions") or []:
        found |= {text(one, "name"): text(one, "value") for one in container.get("environment") or []}
    return found


# -- settings ---------------------------------------------------------------------------------------


def _read_deployments(resource: Resource) -> Call:
    ids = _ids(resource.arn)
    sent = {"ApplicationId": ids.get("application", ""), "EnvironmentId": ids.get("environment", "")}
    return call("appconfig", "ListDeployments", resource, **sent, MaxResults=1)


def _restore_version(resource: Resource, value: Value) -> tuple[Call, ...]:
    """Stops a deployment under way, which goes back by itself; else deploys that version, to all at once."""
    if value is None or value == "":
        return ()
    config, ids = resource.config, _ids(resource.arn)
    at: Json = {"ApplicationId": ids["application"], "EnvironmentId": ids["environment"]}
    under_way = config.get("State") in _UNDER_WAY
    # `plan` shows a resource with the value set already: the deployment's own version is told by its number.
    if under_way and config.get("CompletedVersion") == str(value) and config.get("DeploymentNumber"):
        number = whole(config["DeploymentNumber"])
        return (call("appconfig", "StopDeployment", resource, **at, DeploymentNumber=number),)
    sent: Json = {
        **at,
        "ConfigurationProfileId": ids["configuration"],
        "ConfigurationVersion": str(value),
        "DeploymentStrategyId": _AT_ONCE,
    }
    return (call("appconfig", "StartDeployment", resource, **sent),)


def _restore_strategy(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    sent = float(value) if member == "GrowthFactor" else whole(value)
    id = _ids(resource.arn)["deploymentstrategy"]
    return (
        call("appconfig", "UpdateDeploymentStrategy", resource, DeploymentStrategyId=id, **{member: sent}),
    )


def _read_strategy(resource: Resource) -> Call:
    id = _ids(resource.arn)["deploymentstrategy"]
    return call("appconfig", "GetDeploymentStrategy", resource, DeploymentStrategyId=id)


def _profile(resource: Resource) -> Json:
    ids = _ids(resource.arn)
    return {"ApplicationId": ids["application"], "ConfigurationProfileId": ids["configurationprofile"]}


def _restore_role(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not value:
        return ()
    sent = {**_profile(resource), "RetrievalRoleArn": str(value)}
    return (call("appconfig", "UpdateConfigurationProfile", resource, **sent),)


# A deployment takes up to a day, most half an hour; clients ask anew every minute or so.
_LATER = (0, 10800)
_BEHAVES = (
    Effect(metric="role:errors", direction="up", on="upstream", after=_LATER),
    Effect(metric="role:latency", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:throttles", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:backlog", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:work", direction="down", on="upstream", after=_LATER, may=True),
)

SETTINGS = (
    Setting(
        type="configuration",
        name="deployed version",
        path="ConfigurationVersion",
        unit="",
        requests={"StartDeployment": "configurationVersion"},
        restore=_restore_version,
        read=_read_deployments,
        query="Items[0].ConfigurationVersion",
        echo="new",
        echo_path="configurationVersion",
        effects=_BEHAVES,
        versioned=True,
    ),
    Setting(
        type="configuration-profile",
        name="retrieval role",
        path="RetrievalRoleArn",
        unit="",
        requests=dict.fromkeys(
            ("UpdateConfigurationProfile", "CreateConfigurationProfile"), "retrievalRoleArn"
        ),
        restore=_restore_role,
        read=lambda resource: call("appconfig", "GetConfigurationProfile", resource, **_profile(resource)),
        query="RetrievalRoleArn",
        echo="new",
        echo_path="retrievalRoleArn",
    ),
    *(
        Setting(
            type="deployment-strategy",
            name=name,
            path=member,
            unit=unit,
            requests=dict.fromkeys(("UpdateDeploymentStrategy", "CreateDeploymentStrategy"), camel),
            restore=partial(_restore_strategy, member),
            read=_read_strategy,
            query=member,
            echo="new",
            echo_path=camel,
        )
        for member, camel, name, unit in (
            ("GrowthFactor", "growthFactor", "share of targets a step", "percent"),
            ("DeploymentDurationInMinutes", "deploymentDurationInMinutes", "duration", "minutes"),
            ("FinalBakeTimeInMinutes", "finalBakeTimeInMinutes", "time watched after it", "minutes"),
        )
    ),
)

# -- changes ----------------------------------------------------------------------------------------


def _undo_stop(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The stopped deployment once more, as it was started; nothing when its start is not visible."""
    from tools.parameters import from_cloudtrail

    keys = ("applicationId", "environmentId")
    for before in earlier:
        if before.operation != "StartDeployment" or any(
            text(before.request, key) != text(event.request, key) for key in keys
        ):
            continue
        if text(before.response, "deploymentNumber") == text(event.request, "deploymentNumber"):
            try:
                sent = from_cloudtrail("appconfig", "StartDeployment", before.request)
            except BadInput:
                return ()
            return (call("appconfig", "StartDeployment", event, **sent),)
    return ()


_PLACE: Json = {"applicationId": "a1b2c3d", "environmentId": "e4f5a6b"}
_PROFILE: Json = {"applicationId": "a1b2c3d", "configurationProfileId": "c7d8e9f"}
_START: Json = {
    **_PLACE,
    "configurationProfileId": "c7d8e9f",
    "configurationVersion": "8",
    "deploymentStrategyId": "AppConfig.AllAtOnce",
}
_STRATEGY: Json = {
    "deploymentStrategyId": "s1t2r3a",
    "growthFactor": 100.0,
    "deploymentDurationInMinutes": 0,
    "finalBakeTimeInMinutes": 0,
}
_ROLE = "arn:aws:iam::111122223333:role/config-reader"


def _change(operation: str, breaks: str, request: Json, response: Json | None = None, **more: Any) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=record(_SOURCE, operation, request, response),
        **more,
    )


CHANGES = (
    _change(
        "StartDeployment",
        "Programs get another version of the configuration, step by step or all at once.",
        _START,
        {
            **_START,
            "deploymentNumber": 12,
            "configurationName": "limits",
            "state": "DEPLOYING",
        },
    ),
    _change(
        "StopDeployment",
        "The deployment goes back: programs get the version before it again.",
        {**_PLACE, "deploymentNumber": 12},
        {**_PLACE, "deploymentNumber": 12, "state": "ROLLING_BACK"},
        effects=tuple(
            Effect(metric=one.metric, direction=one.direction, on=one.on, after=one.after, may=True)
            for one in _BEHAVES
        ),
        undo=_undo_stop,
        earlier=("StartDeployment",),
    ),
    _change(
        "UpdateConfigurationProfile",
        "The service may no longer be let at the configuration's place, or checks it otherwise.",
        {**_PROFILE, "retrievalRoleArn": _ROLE},
        {"applicationId": "a1b2c3d", "id": "c7d8e9f", "retrievalRoleArn": _ROLE},
    ),
    _change(
        "UpdateDeploymentStrategy",
        "Later deployments reach more targets sooner, and are watched for less time.",
        _STRATEGY,
    ),
    _change(
        "UpdateEnvironment",
        "Without its alarms a bad deployment is no longer taken back by itself.",
        {**_PLACE, "monitors": []},
        {"applicationId": "a1b2c3d", "id": "e4f5a6b", "state": "READY"},
    ),
    _change(
        "DeleteEnvironment",
        "Programs that ask for configurations of the environment are refused.",
        _PLACE,
        effects=_BEHAVES,
    ),
    _change(
        "DeleteConfigurationProfile",
        "Programs that ask for the configuration are refused.",
        _PROFILE,
        effects=_BEHAVES,
    ),
    _change(
        "DeleteApplication",
        "Programs that ask for configurations of the application are refused.",
        {"applicationId": "a1b2c3d"},
        effects=_BEHAVES,
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            (
                "CreateHostedConfigurationVersion",
                _touches,
                {**_PROFILE, "content": "HIDDEN_DUE_TO_SECURITY_REASONS", "contentType": "application/json"},
                {**_PROFILE, "versionNumber": 8},
            ),
            ("DeleteHostedConfigurationVersion", _touches, {**_PROFILE, "versionNumber": 3}, None),
            ("CreateApplication", _touches_made, {"name": "shop"}, {"id": "a1b2c3d", "name": "shop"}),
            (
                "CreateEnvironment",
                _touches_made,
                {"applicationId": "a1b2c3d", "name": "prod"},
                {"applicationId": "a1b2c3d", "id": "e4f5a6b"},
            ),
            (
                "CreateConfigurationProfile",
                _touches_made,
                {"applicationId": "a1b2c3d", "name": "limits", "locationUri": "hosted"},
                {"applicationId": "a1b2c3d", "id": "c7d8e9f"},
            ),
            (
                "CreateDeploymentStrategy",
                _touches_made,
                {"name": "slowly", "growthFactor": 10.0, "deploymentDurationInMinutes": 30},
                {"id": "s1t2r3a", "name": "slowly"},
            ),
            (
                "TagResource",
                touches_tagged,
                {"resourceArn": "arn:aws:appconfig:eu-west-1:111122223333:application/a1b2c3d"},
                None,
            ),
        )
    ),
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The roles by which alarms are watched during a deployment."""
    for one in resource.config.get("Monitors") or [] if resource.type == "environment" else []:
        if arns.is_arn(role := text(one, "AlarmRoleArn")):
            yield relation(resource, role, "runs as", "appconfig:ListEnvironments Monitors.AlarmRoleArn")


SERVICE = Service(
    name="appconfig",
    title="AppConfig",
    client="appconfig",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action=f"appconfig:{operation}", shows=shows)
        for operation, shows in (
            ("ListApplications", "which applications have configurations"),
            ("ListEnvironments", "where configurations are deployed"),
            ("ListConfigurationProfiles", "which configurations an application has"),
            ("ListDeployments", "which version was deployed when"),
            ("GetDeployment", "the version that is deployed"),
            ("GetApplication", "the name of an application"),
            ("GetEnvironment", "the alarms that take a deployment back"),
            ("GetConfigurationProfile", "where a configuration is kept"),
            ("GetDeploymentStrategy", "how fast deployments go"),
        )
    ),
    types={
        "application": "other",
        "environment": "other",
        "configuration-profile": "component",
        "configuration": "component",
        "deployment-strategy": "other",
    },
    arns={
        "application": r"appconfig:application/[^/]+",
        "environment": r"appconfig:application/[^/]+/environment/[^/]+",
        "configuration-profile": r"appconfig:application/[^/]+/configurationprofile/[^/]+",
        "configuration": r"appconfig:application/[^/]+/environment/[^/]+/configuration/[^/]+",
        "deployment-strategy": r"appconfig:deploymentstrategy/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline),
    settings=SETTINGS,
    changes=CHANGES,
    signatures=(
        Signature(
            match=r"(appconfig|AppConfig|GetLatestConfiguration|StartConfigurationSession).{0,200}"
            r"(ResourceNotFoundException|could not be found)",
            code="ResourceNotFoundException",
            reason="configuration",
            points_to="DeleteConfigurationProfile",
            says="the configuration, its environment or its application does not exist",
        ),
    ),
    versions=versions,
    listed=False,  # listed where a program asks for configurations
    listed_for=_asks,
)
