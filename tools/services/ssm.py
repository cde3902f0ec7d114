"""Systems Manager: parameters with their history, documents, and who got onto machines by sessions and commands.

Values of SecureString parameters are never read, nor those of parameters whose name says that they hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput, NotThere
from tools.kit import call, here, meant, optional, plain, record, reference, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.redact import redact
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)
from tools.setting_values import HIDDEN

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "ssm.amazonaws.com"
_INSTANCE = re.compile(r"\b(m?i-[0-9a-f]{8,17})\b")
_DIGEST = re.compile(r"\bsha256:[0-9a-f]{64}\b")
_HISTORY_PAGE = 50  # API reference, GetParameterHistory
_MACHINES = ("instanceIds", "instanceId", "target", "targets", "parameters")


# -- what an event touches --------------------------------------------------------------------------


def _parameter(event: ChangeEvent, name: str) -> str:
    """ARN of a parameter: the name without its first slash and without ":version" or ":label"."""
    if arns.is_arn(name):
        return name
    return here(event, "ssm", f"parameter/{name.partition(':')[0].lstrip('/')}")


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    names = [text(event.request, "name"), *(event.request.get("names") or ())]
    return tuple(_parameter(event, str(name)) for name in names if name)


def _machines(event: ChangeEvent) -> tuple[str, ...]:
    """The instances that a request names, wherever in it."""
    found = [id for key in _MACHINES for id in _INSTANCE.findall(str(event.request.get(key) or ""))]
    return tuple(
        here(event, "ssm", f"managed-instance/{id}")
        if id.startswith("mi-")
        else here(event, "ec2", f"instance/{id}")
        for id in dict.fromkeys(found)
    )


def _document(event: ChangeEvent, name: str) -> str:
    if arns.is_arn(name):
        return name
    own = here(event, "ssm", f"document/{name}")
    # Documents that AWS gives have no account in their ARN.
    return own.replace(f":{event.account}:", "::", 1) if name.startswith(("AWS-", "AWSSupport-")) else own


def _touches_document(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "documentName") or text(event.request, "name")
    return (_document(event, name), *_machines(event)) if name else ()


def _touches_session(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.response, "sessionId") or text(event.request, "sessionId")
    return (here(event, "ssm", f"session/{id}"), *_machines(event)) if id else ()


def _touches_execution(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.response, "automationExecutionId") or text(event.request, "automationExecutionId")
    return (here(event, "ssm", f"automation-execution/{id}"), *_machines(event)) if id else ()


def _touches_association(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.request, "associationId") or text(
        event.response, "associationDescription", "associationId"
    )
    return (here(event, "ssm", f"association/{id}"), *_machines(event)) if id else ()


def _touches_service(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.request, "settingId")
    if arns.is_arn(id):
        return (id,)
    return (here(event, "ssm", f"servicesetting/{id.lstrip('/')}"),) if id else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All parameters as they are described: name, type, version, who changed them last. No values."""
    found = reader.pages("ssm", "DescribeParameters", "Parameters", region=region, MaxResults=50)
    for number, item in enumerate(found.items):
        yield _made(item, "", region, reader.aws.account, (found.of(number, 50),))


def _made(
    item: Mapping[str, Any], arn: str, region: str, account: str, evidence: Iterable[str], **more: Any
) -> Resource:
    name = str(item["Name"])
    bare = arn or text(item, "ARN") or arns.build("ssm", region, account, f"parameter/{name.lstrip('/')}")
    return Resource(
        arn=bare,
        service="ssm",
        type="parameter",
        name=name,
        account=arns.parse(bare).account or account,
        region=region,
        config={**plain(item), **more},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A parameter with its value, where that is no secret; a document with its versions."""
    parts = arns.parse(arn)
    if parts.type == "document":
        return _describe_document(reader, arn)
    if parts.type != "parameter":
        return None  # sessions and executions are told whole by their events
    # A name with slashes inside begins with one; of any other name the ARN does not tell.
    names = [f"/{parts.name}"] if "/" in parts.name else [parts.name, f"/{parts.name}"]
    filters = [{"Key": "Name", "Option": "Equals", "Values": names}]
    answer = reader.ask("ssm", "DescribeParameters", region=parts.region, ParameterFilters=filters)
    found = [one for name in names for one in answer.data.get("Parameters") or [] if one["Name"] == name]
    if not found:
        return None
    item = found[0]
    more: Json = {}
    evidence = [answer.evidence]
    if _may_be_read(item):
        shown = optional(
            reader, "ssm", "GetParameter", "Value of a parameter", region=parts.region, Name=item["Name"]
        )
        value = text(shown.data, "Parameter", "Value") if shown else ""
        if shown and value and not is_secret(value):
            more = {"Value": value}
            evidence.append(shown.evidence)
    return _made(item, arn, parts.region, parts.account, evidence, **more)


def _may_be_read(item: Mapping[str, Any]) -> bool:
    """Whether nothing says that the value is a secret: not its type, not its name."""
    words = str(item.get("Name", "")).replace("-", "_").split("/")
    return item.get("Type") in ("String", "StringList") and all(reference(word, "name") for word in words)


def is_secret(value: str) -> bool:
    """Whether a plain value looks like a key or password all the same."""
    words = re.findall(r"[A-Za-z0-9]{16,}", _DIGEST.sub("", value))
    return redact(value) != value or any(not reference("", word) for word in words)


def _describe_document(reader: Reader, arn: str) -> Resource | None:
    parts = arns.parse(arn)
    name = arn if parts.account and parts.account != reader.aws.account else parts.name
    try:
        answer = reader.ask("ssm", "DescribeDocument", region=parts.region, Name=name)
    except NotThere:
        return None
    return Resource(
        arn=arn,
        service="ssm",
        type="document",
        name=parts.name,
        account=parts.account or reader.aws.account,
        region=parts.region,
        config=plain(answer.data.get("Document") or {}),
        evidence=(answer.evidence,),
    )


def versions(reader: Reader, resource: Resource) -> Iterable[tuple[str, datetime, Json, str]]:
    """The last hundred values of a parameter that is no secret."""
    if resource.type != "parameter" or not _may_be_read(resource.config):
        return
    pages = reader.pages(
        "ssm",
        "GetParameterHistory",
        "Parameters",
        region=resource.region,
        Name=resource.name,
        MaxResults=_HISTORY_PAGE,
    )
    for number, item in enumerate(pages.items):
        value = text(item, "Value")
        if item.get("Type") != "SecureString" and value and not is_secret(value):
            made = item["LastModifiedDate"]
            yield str(item["Version"]), made, {"Parameter": plain(item)}, pages.of(number, _HISTORY_PAGE)


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a parameter's value names, the key that encrypts it, and who reads the path that it lies in."""
    if resource.type != "parameter":
        return
    if arns.is_arn(key := text(resource.config, "KeyId")):
        yield relation(resource, key, "uses", "ssm:DescribeParameters KeyId")
    for value in text(resource.config, "Value").split(","):
        if named := reference(resource.name, value):
            for target, confidence in meant(resource.name, named, directory):
                if target != resource.arn:
                    yield relation(resource, target, "uses", "ssm:GetParameter Value", confidence)
    for reader in directory.of("function", "task-definition"):
        for key, value in _variables(reader):
            path = value.rstrip("/")
            if path.startswith("/") and resource.name.startswith(f"{path}/"):
                yield Relation(
                    source=reader.arn,
                    target=resource.arn,
                    kind="uses",
                    provenance=f"environment variable {key}, a path of parameters",
                    confidence=0.7,
                    evidence=reader.evidence,
                )


def _variables(program: Resource) -> list[tuple[str, str]]:
    own = (program.config.get("Environment") or {}).get("Variables") or {}
    found = [(str(key), str(value)) for key, value in own.items()]
    for container in program.config.get("containerDefinitions") or []:
        found += [(text(one, "name"), text(one, "value")) for one in container.get("environment") or []]
    return found


# -- settings ---------------------------------------------------------------------------------------


def _kept(config: Json) -> Json:
    """What PutParameter would otherwise set anew: all but value and tags."""
    sent: Json = {}
    for member in ("Type", "Description", "AllowedPattern", "Tier", "DataType"):
        if told := text(config, member):
            sent[member] = told
    if policies := [text(one, "PolicyText") for one in config.get("Policies") or []]:
        sent["Policies"] = f"[{','.join(policies)}]"
    return sent


def _restore_value(resource: Resource, value: Value) -> tuple[Call, ...]:
    """None for a secret: its earlier value is in nobody's sight."""
    hidden = value in (None, "", HIDDEN) or str(value).startswith("HIDDEN_DUE_TO")
    if hidden or resource.config.get("Type", "String") == "SecureString":
        return ()
    sent: Json = {"Name": resource.name, "Value": str(value), "Overwrite": True, **_kept(resource.config)}
    return (call("ssm", "PutParameter", resource, **sent),)


def _restore_default(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None or not re.fullmatch(r"\d+", str(value)):
        return ()
    return (
        call("ssm", "UpdateDocumentDefaultVersion", resource, Name=resource.name, DocumentVersion=str(value)),
    )


# Programs keep parameters for as long as they like: a minute in most cache libraries, or until they start anew.
_LATER = (0, 10800)
_BEHAVES = (
    Effect(metric="role:errors", direction="up", on="upstream", after=_LATER),
    Effect(metric="role:latency", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:throttles", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:backlog", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:work", direction="down", on="upstream", after=_LATER, may=True),
)
_MAY = (
    Effect(metric="role:errors", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:latency", direction="up", on="upstream", after=_LATER, may=True),
)

SETTINGS = (
    Setting(
        type="parameter",
        name="value",
        path="Value",
        unit="",
        requests={"PutParameter": "value"},
        restore=_restore_value,
        read=lambda resource: call("ssm", "GetParameter", resource, Name=resource.name),
        query="Parameter.Value",
        effects=_BEHAVES,
        versioned=True,
    ),
    Setting(
        type="document",
        name="default version",
        path="DefaultVersion",
        unit="",
        requests={"UpdateDocumentDefaultVersion": "documentVersion"},
        restore=_restore_default,
        read=lambda resource: call("ssm", "DescribeDocument", resource, Name=resource.name),
        query="Document.DefaultVersion",
        effects=_MAY,
    ),
)

# -- changes ----------------------------------------------------------------------------------------


def _undo_delete(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Each parameter as it was last put; nothing unless all of them are shown whole. Its history is gone."""
    from tools.parameters import from_cloudtrail

    made: list[Call] = []
    for arn in _touches(event):
        put = next((one for one in earlier if one.operation == "PutParameter" and arn in _touches(one)), None)
        if put is None or not text(put.request, "type"):
            return ()
        sent = {key: value for key, value in put.request.items() if key != "overwrite" and value != ""}
        try:
            made.append(call("ssm", "PutParameter", event, **from_cloudtrail("ssm", "PutParameter", sent)))
        except BadInput:
            return ()
    return tuple(made)


def _undo_label(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The labels back on the version that each was on before; nothing when that is not known."""
    name = text(event.request, "name")
    if event.operation == "UnlabelParameterVersion":
        number = event.request.get("parameterVersion")
        labels = event.request.get("labels")
        where = {int(number): list(labels)} if isinstance(number, int) and labels else {}
    else:
        where = {}
        for label in event.request.get("labels") or []:
            before = _labelled(event, earlier, str(label))
            if before is None:
                return ()
            where.setdefault(before, []).append(label)
    return tuple(
        call("ssm", "LabelParameterVersion", event, Name=name, ParameterVersion=number, Labels=labels)
        for number, labels in sorted(where.items())
    )


def _labelled(event: ChangeEvent, earlier: tuple[ChangeEvent, ...], label: str) -> int | None:
    for before in earlier:
        if before.operation in ("LabelParameterVersion", "UnlabelParameterVersion") and (
            _touches(before) == _touches(event) and label in (before.request.get("labels") or ())
        ):
            number = before.request.get("parameterVersion") or before.response.get("parameterVersion")
            put = before.operation == "LabelParameterVersion" and isinstance(number, int)
            return whole(number) if put else None
    return None


def _undo_service(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The service setting as it was set before; nothing when no earlier event tells it."""
    for before in earlier:
        if _touches_service(before) == _touches_service(event):
            if before.operation == "ResetServiceSetting":
                return (
                    call("ssm", "ResetServiceSetting", event, SettingId=text(event.request, "settingId")),
                )
            if value := text(before.request, "settingValue"):
                id = text(event.request, "settingId")
                return (call("ssm", "UpdateServiceSetting", event, SettingId=id, SettingValue=value),)
            return ()
    return ()


_NAME = "/shop/orders/max-batch"
_PUT: Json = {
    "name": _NAME,
    "value": "25",
    "type": "String",
    "overwrite": True,
    "tier": "Standard",
    "dataType": "text",
}
_SECURE: Json = {
    "name": "/shop/orders/partner-login",
    "value": "HIDDEN_DUE_TO_SECURITY_REASONS",
    "type": "SecureString",
    "overwrite": True,
}
_ID = "i-0a1b2c3d4e5f60001"
_SETTING = "/ssm/parameter-store/high-throughput-enabled"


def _change(operation: str, breaks: str, request: Json, response: Json | None = None, **more: Any) -> Change:
    return Change(
        operation=operation,
        touches=more.pop("touches", _touches),
        breaks=breaks,
        example=record(_SOURCE, operation, request, response),
        **more,
    )


CHANGES = (
    _change(
        "PutParameter",
        "Programs that read the parameter behave by its new value, once what they keep of it is old.",
        _PUT,
        {"version": 8, "tier": "Standard"},
        more_examples=(record(_SOURCE, "PutParameter", _SECURE, {"version": 3, "tier": "Standard"}),),
    ),
    _change(
        "DeleteParameter",
        "Programs and tasks that need the parameter fail when they read it or start; its history is gone.",
        {"name": _NAME},
        effects=_BEHAVES,
        undo=_undo_delete,
        earlier=("PutParameter",),
    ),
    _change(
        "DeleteParameters",
        "Programs and tasks that need the parameters fail when they read them or start.",
        {"names": [_NAME, "/shop/orders/partner-url"]},
        {"deletedParameters": [_NAME, "/shop/orders/partner-url"], "invalidParameters": []},
        effects=_BEHAVES,
        undo=_undo_delete,
        earlier=("PutParameter",),
    ),
    _change(
        "LabelParameterVersion",
        "Programs that read the parameter by this label get another version.",
        {"name": _NAME, "parameterVersion": 8, "labels": ["live"]},
        {"invalidLabels": [], "parameterVersion": 8},
        effects=_BEHAVES,
        undo=_undo_label,
        earlier=("LabelParameterVersion", "UnlabelParameterVersion"),
    ),
    _change(
        "UnlabelParameterVersion",
        "Programs that read the parameter by this label find nothing.",
        {"name": _NAME, "parameterVersion": 7, "labels": ["live"]},
        {"removedLabels": ["live"], "invalidLabels": []},
        effects=_BEHAVES,
        undo=_undo_label,
    ),
    _change(
        "StartSession",
        "Somebody had a shell on the machine; what was typed there CloudTrail does not show.",
        {"target": _ID, "reason": "look at disk"},
        {"sessionId": "ops-07-0a1b2c3d4e5f60718", "tokenValue": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        touches=_touches_session,
        effects=_MAY,
    ),
    _change(
        "SendCommand",
        "A script ran on the machines; CloudTrail hides its text, ListCommands keeps it for a month.",
        {
            "documentName": "AWS-RunShellScript",
            "instanceIds": [_ID],
            "interactive": False,
            "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
        },
        {"command": {"commandId": "4e973221-443e-4a56-a0b4-1cb3c7923fc3", "status": "Pending"}},
        touches=_touches_document,
        effects=_MAY,
    ),
    _change(
        "StartAutomationExecution",
        "A runbook acts on resources with the rights of its role.",
        {"documentName": "AWS-RestartEC2Instance", "parameters": {"InstanceId": [_ID]}},
        {"automationExecutionId": "73c8eef8-f4ee-4a05-820c-e354fEXAMPLE"},
        touches=_touches_execution,
        effects=_MAY,
    ),
    _change(
        "CreateAssociation",
        "A document runs on the machines now and by its schedule.",
        {
            "name": "AWS-RunShellScript",
            "targets": [{"key": "InstanceIds", "values": [_ID]}],
            "scheduleExpression": "rate(1 day)",
        },
        {"associationDescription": {"associationId": "2b1c3d4e-5f60-4718-9a0b-1c2d3e4f5a6b"}},
        touches=_touches_association,
        effects=_MAY,
    ),
    _change(
        "UpdateAssociation",
        "A document runs on the machines, with other parameters or at other times.",
        {
            "associationId": "2b1c3d4e-5f60-4718-9a0b-1c2d3e4f5a6b",
            "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
        },
        touches=_touches_association,
        effects=_MAY,
    ),
    _change(
        "UpdateDocumentDefaultVersion",
        "Commands and runbooks that name no version run another one.",
        {"name": "restart-workers", "documentVersion": "4"},
        {"description": {"name": "restart-workers", "defaultVersion": "4"}},
        touches=_touches_document,
    ),
    _change(
        "UpdateServiceSetting",
        "Limits of the whole region change: without high throughput, readers of parameters are throttled sooner.",
        {"settingId": _SETTING, "settingValue": "false"},
        touches=_touches_service,
        effects=_MAY,
        undo=_undo_service,
        earlier=("ResetServiceSetting",),
    ),
    _change(
        "ResetServiceSetting",
        "A service setting is at its default again: without high throughput, readers are throttled sooner.",
        {"settingId": _SETTING},
        touches=_touches_service,
        effects=_MAY,
        undo=_undo_service,
        earlier=("UpdateServiceSetting",),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            ("TerminateSession", _touches_session, {"sessionId": "ops-07-0a1b2c3d4e5f60718"}, None),
            ("ResumeSession", _touches_session, {"sessionId": "ops-07-0a1b2c3d4e5f60718"}, None),
            (
                "StopAutomationExecution",
                _touches_execution,
                {"automationExecutionId": "73c8eef8-f4ee-4a05-820c-e354fEXAMPLE"},
                None,
            ),
            (
                "CreateDocument",
                _touches_document,
                {"name": "restart-workers", "documentType": "Command"},
                None,
            ),
            (
                "UpdateDocument",
                _touches_document,
                {"name": "restart-workers", "documentVersion": "$LATEST"},
                {"documentDescription": {"name": "restart-workers", "documentVersion": "4"}},
            ),
        )
    ),
)

CONDITIONS = (
    Condition(
        key="parameter-throughput",
        type="parameter",
        title="parameters are read more often than the region's limit of requests allows",
        metrics=(),
        breaks="Reads of parameters are throttled for every program of the account in the region.",
        relieve=(
            "Let programs keep parameters for a minute or more instead of reading them at each request.",
            "Switch on higher throughput for the Parameter Store of the region; it has a price a read.",
        ),
        prevent=("Read parameters with the caching extension.", "Alarm on throttled reads."),
    ),
)


def _signature(match: str, code: str, reason: str, points_to: str, says: str) -> Signature:
    return Signature(match=match, code=code, reason=reason, points_to=points_to, says=says)


SIGNATURES = (
    _signature(
        r"ParameterNotFound|invalid ssm parameters?",
        "ParameterNotFound",
        "parameter",
        "DeleteParameter",
        "the parameter does not exist",
    ),
    _signature(
        r"ParameterVersionNotFound|[Pp]arameter ?[Vv]ersion ?[Ll]abel.{0,40}(not|doesn.t) (found|exist)",
        "ParameterVersionNotFound",
        "label of a parameter",
        "UnlabelParameterVersion",
        "no version of the parameter has that number or label",
    ),
    _signature(
        r"(ThrottlingException|Rate exceeded).{0,120}GetParameter|GetParameter.{0,120}(Throttl|Rate exceeded)",
        "ThrottlingException",
        "GetParameter",
        "parameter-throughput",
        "reads of parameters were throttled",
    ),
)

SERVICE = Service(
    name="ssm",
    title="Systems Manager",
    client="ssm",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="DescribeParameters",
            action="ssm:DescribeParameters",
            shows="which parameters exist, who changed them last",
        ),
        Read(operation="GetParameter", action="ssm:GetParameter", shows="the value of a plain parameter"),
        Read(
            operation="GetParameterHistory",
            action="ssm:GetParameterHistory",
            shows="the earlier values of a plain parameter",
        ),
        Read(
            operation="DescribeDocument",
            action="ssm:DescribeDocument",
            shows="which version of a document runs",
        ),
    ),
    types={
        "parameter": "component",
        "document": "other",
        "session": "other",
        "automation-execution": "other",
        "association": "other",
        "service-setting": "other",
    },
    arns={
        "parameter": r"ssm:parameter/.+",
        "document": r"ssm:document/.+",
        "session": r"ssm:session/.+",
        "automation-execution": r"ssm:automation-execution/.+",
        "association": r"ssm:association/.+",
        "service-setting": r"ssm:servicesetting/.+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    versions=versions,
    listed=False,  # found where programs and definitions name them, or roles by the beginning of a name
    listed_near=("function", "service", "task-definition"),
    complete=("session", "automation-execution", "association", "service-setting"),
)
