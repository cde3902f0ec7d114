"""Service Quotas: the limits that AWS sets an account, how much of each is used, and what stands under which.

A quota cannot be put back by a call: AWS raises it on request, and never lowers it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource
from tools.services._spec import Condition, Directory, MetricSpec, Read, Service, Signature, inert

if TYPE_CHECKING:
    from tools.aws import Answer, Reader

_SOURCE = "servicequotas.amazonaws.com"
_CLIENT = "service-quotas"
_NAMESPACE = "AWS/Usage"
_SHARED: Mapping[str, tuple[str, ...]] = {
    # Quotas that what runs already meets, not only what is made anew -> types that share them.
    "lambda/L-B99A9384": ("function",),  # concurrent executions
    "ec2/L-1216C47A": ("auto-scaling-group",),  # vCPUs of running standard instances, on demand
    "ec2/L-34B43A08": ("auto-scaling-group",),  # the same, spot
    "fargate/L-3032A538": ("service",),  # vCPUs of tasks, on demand
    "dynamodb/L-34F8CCC8": ("table",),  # provisioned writes of all tables
    "dynamodb/L-34F6A552": ("table",),  # provisioned reads of all tables
    "dynamodb/L-AB614373": ("table",),  # writes of one table
    "dynamodb/L-CF0CBE56": ("table",),  # reads of one table
    "apigateway/L-8A5B8E43": ("api",),  # requests per second of all APIs
}
_SPOT = "ec2/L-34B43A08"
_MEASURED: Mapping[tuple[str, str, str], str] = {
    # Service, Resource and Class of AWS/Usage -> the quota that they count for.
    ("Lambda", "ConcurrentExecutions", "None"): "lambda/L-B99A9384",
    ("EC2", "vCPU", "Standard/OnDemand"): "ec2/L-1216C47A",
    ("EC2", "vCPU", "Standard/Spot"): "ec2/L-34B43A08",
    ("Fargate", "vCPU", "Standard/OnDemand"): "fargate/L-3032A538",
}
_NEAR = 0.95
_FAR = 0.8
_LOOK = timedelta(hours=1)
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    service, code = text(event.request, "serviceCode"), text(event.request, "quotaCode")
    return (here(event, "servicequotas", f"{service}/{code}"),) if service and code else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """The quotas that running things share: a handful, asked for one by one. All are too many to list."""
    for name in _SHARED:
        found = _read(reader, arns.build("servicequotas", region, reader.aws.account, name))
        if found is not None:
            yield found


def _read(reader: Reader, arn: str) -> Resource | None:
    """A quota at the account's value, or at AWS's default where the account has none of its own."""
    parts = arns.parse(arn)
    service, _, code = parts.resource.partition("/")
    at: Json = {"region": parts.region, "ServiceCode": service, "QuotaCode": code}
    answer: Answer | None = None
    own = True
    try:
        answer = reader.ask(_CLIENT, "GetServiceQuota", **at)
    except NotThere:
        own = False
    if answer is None:
        try:
            answer = reader.ask(_CLIENT, "GetAWSDefaultServiceQuota", **at)
        except NotThere:
            return None
    quota = answer.data.get("Quota") or {}
    return _made(arn, quota, (answer.evidence,), AtDefault=not own)


def _made(arn: str, quota: Mapping[str, Any], evidence: Iterable[str], **more: Any) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="servicequotas",
        type="quota",
        name=str(quota.get("QuotaName") or parts.resource),
        account=parts.account,
        region=parts.region,
        config={**plain(quota), **more},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A quota with `DefaultValue`, `Used` (the most of the last hour, in the quota's own measure) and `Requests`."""
    found = _read(reader, arn)
    if found is None:
        return None
    service, _, code = arns.parse(arn).resource.partition("/")
    at: Json = {"region": found.region, "ServiceCode": service, "QuotaCode": code}
    evidence = list(found.evidence)
    more: Json = {}
    if not found.config["AtDefault"]:
        usual = optional(reader, _CLIENT, "GetAWSDefaultServiceQuota", "Default of a quota", **at)
        if usual is not None and usual.data.get("Quota"):
            more["DefaultValue"] = usual.data["Quota"].get("Value")
            evidence.append(usual.evidence)
    asked = optional(
        reader, _CLIENT, "ListRequestedServiceQuotaChangeHistoryByQuota", "Requests to raise a quota", **at
    )
    if asked is not None:
        requests = plain(asked.data).get("RequestedQuotas") or []
        # Who asked is an account and an ARN in JSON of its own; the event of the request tells it better.
        more["Requests"] = [{key: one[key] for key in one if key != "Requester"} for one in requests]
        evidence.append(asked.evidence)
    used = _used(reader, found)
    if used is not None:
        more["Used"] = used[0]
        evidence.append(used[1])
    return _made(arn, found.config, evidence, **more)


def _used(reader: Reader, quota: Resource) -> tuple[float, str] | None:
    """The most that was used at once within the last hour, and its evidence; None where nothing counts it."""
    counted = quota.config.get("UsageMetric") or {}
    name, dimensions = text(counted, "MetricName"), counted.get("MetricDimensions") or {}
    if not name or not dimensions:
        return None
    calls = name == "CallCount"
    metric = {
        "Namespace": text(counted, "MetricNamespace") or _NAMESPACE,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": dimensions[key]} for key in sorted(dimensions)],
    }
    stat = {"Metric": metric, "Period": 60 if calls else 300, "Stat": "Sum" if calls else "Maximum"}
    answer = optional(
        reader,
        "cloudwatch",
        "GetMetricData",
        "Usage of a quota",
        region=quota.region,
        MetricDataQueries=[{"Id": "used", "MetricStat": stat, "ReturnData": True}],
        StartTime=reader.as_of - _LOOK,
        EndTime=reader.as_of,
    )
    results = (answer.data.get("MetricDataResults") or []) if answer else []
    values = [float(value) for one in results for value in one.get("Values") or []]
    if answer is None or not values:
        return None
    # Calls are counted by the minute; their quota may be per second.
    return max(values) * (_period(quota) / 60 if calls else 1.0), answer.evidence


def _period(quota: Resource) -> float:
    told = quota.config.get("Period") or {}
    return float(told.get("PeriodValue") or 1) * _SECONDS.get(text(told, "PeriodUnit"), 1)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What shares the quota: everything of its types in the account and region."""
    for one in directory.of(*_SHARED[name]) if (name := arns.parse(resource.arn).resource) in _SHARED else ():
        if (one.account, one.region) == (resource.account, resource.region) and _shares(one, name):
            yield Relation(
                source=one.arn,
                target=resource.arn,
                kind="limited by",
                provenance="servicequotas:GetServiceQuota, a quota of the whole region",
                confidence=0.8,
                evidence=resource.evidence,
            )


def _shares(one: Resource, quota: str) -> bool:
    """Reserved concurrency is a function's own: it neither uses nor waits for the rest of the account. Only a group
    with a mixed instances policy launches spot instances by itself.
    """
    if quota == _SPOT:
        return bool(one.config.get("MixedInstancesPolicy"))
    return one.type != "function" or one.config.get("ReservedConcurrentExecutions") is None


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    told = (resource.config.get("UsageMetric") or {}).get("MetricDimensions") or {}
    return tuple(sorted((str(key), str(value)) for key, value in told.items()))


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    key = (dimensions.get("Service", ""), dimensions.get("Resource", ""), dimensions.get("Class", "None"))
    name = _MEASURED.get(key, "")
    return f"arn:{partition}:servicequotas:{region}:{account}:{name}" if name else ""


# -- what fails -------------------------------------------------------------------------------------


def share(quota: Resource) -> float | None:
    """How much of the quota is used, 1.0 for all; None where one of both is not known."""
    used, limit = quota.config.get("Used"), quota.config.get("Value")
    if not isinstance(used, int | float) or not isinstance(limit, int | float) or limit <= 0:
        return None
    return used / limit


def _reached(quota: Resource) -> bool:
    part = share(quota)
    return part is not None and part >= _NEAR


def _roomy(quota: Resource) -> bool:
    part = share(quota)
    return part is not None and part < _FAR


def _asking(quota: Resource) -> Call:
    service, _, code = arns.parse(quota.arn).resource.partition("/")
    return call(_CLIENT, "GetServiceQuota", quota, ServiceCode=service, QuotaCode=code)


CONDITIONS = (
    Condition(
        key="quota-reached",
        type="quota",
        title="a quota of the account is used up or nearly so",
        metrics=("ResourceCount", "CallCount"),
        breaks="Whatever shares the quota is refused together, in the whole region.",
        relieve=(
            "Find what uses most of it, and slow or stop what matters least.",
            "Ask for a higher quota; AWS grants some at once, others after days. Some cannot be raised.",
        ),
        prevent=("Alarm on usage at four fifths of the quota, by SERVICE_QUOTA() over the usage metric.",),
        calls=lambda quota: (_asking(quota),),
        shown=_reached,
        excluded=_roomy,
    ),
)

SIGNATURES = tuple(
    Signature(match=match, code=code, reason=reason, points_to="quota-reached", says=says)
    for match, code, reason, says in (
        (
            r"VcpuLimitExceeded|more vCPU capacity than your current vCPU limit",
            "VcpuLimitExceeded",
            "vCPUs of running instances",
            "the account's limit of vCPUs was reached",
        ),
        (
            r"You.ve reached the limit on the number of vCPUs|(?i:limit on the number of tasks you can run)",
            "LimitExceeded",
            "vCPUs of tasks",
            "the account's limit of tasks or their vCPUs was reached",
        ),
        (
            r"MaxSpotInstanceCountExceeded",
            "MaxSpotInstanceCountExceeded",
            "spot instances",
            "the account's limit of spot instances was reached",
        ),
        (
            r"InstanceLimitExceeded|AddressLimitExceeded|(?:Network)?InterfaceLimitExceeded",
            "LimitExceeded",
            "resources of EC2",
            "a limit of EC2 resources was reached",
        ),
        (
            r"Maximum sending rate exceeded|Daily message quota exceeded",
            "Throttling",
            "sending of e-mails",
            "the account's sending quota of e-mails was reached",
        ),
        (
            r"ServiceQuotaExceededException|exceed(?:s|ed)? (?:the )?(?:account|service) (?:quota|limit)",
            "ServiceQuotaExceededException",
            "service quota",
            "a quota of the account was reached",
        ),
    )
)

_QUOTA: Json = {"serviceCode": "lambda", "quotaCode": "L-B99A9384"}

CHANGES = (
    # A request raises a quota or changes nothing: it moves no metric by itself.
    inert(
        "RequestServiceQuotaIncrease",
        _touches,
        record(
            _SOURCE,
            "RequestServiceQuotaIncrease",
            {**_QUOTA, "desiredValue": 3000},
            {"requestedQuota": {**_QUOTA, "desiredValue": 3000, "status": "PENDING"}},
        ),
    ),
    inert(
        "PutServiceQuotaIncreaseRequestIntoTemplate",
        _touches,
        record(
            _SOURCE,
            "PutServiceQuotaIncreaseRequestIntoTemplate",
            {**_QUOTA, "awsRegion": "eu-west-1", "desiredValue": 3000},
        ),
    ),
)


def _counted(name: str) -> Any:
    return lambda quota: text(quota.config, "UsageMetric", "MetricName") == name


SERVICE = Service(
    name="servicequotas",
    title="Service Quotas",
    client=_CLIENT,
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="GetServiceQuota",
            action="servicequotas:GetServiceQuota",
            shows="the account's own value of a quota",
        ),
        Read(
            operation="GetAWSDefaultServiceQuota",
            action="servicequotas:GetAWSDefaultServiceQuota",
            shows="AWS's default of a quota",
        ),
        Read(
            operation="ListRequestedServiceQuotaChangeHistoryByQuota",
            action="servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
            shows="whether a higher quota was asked for",
        ),
    ),
    listed_near=("function", "auto-scaling-group", "service", "api"),
    types={"quota": "other"},
    arns={"quota": r"servicequotas:[^/:]+/L-[0-9A-Z]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace=_NAMESPACE,
    dimensions=dimensions,
    owner=owner,
    metrics=(
        MetricSpec(
            type="quota",
            name="ResourceCount",
            stat="Maximum",
            role="saturation",
            bad="up",
            missing="idle",
            unit="used of the quota",
            period=300,
            where=_counted("ResourceCount"),
        ),
        MetricSpec(
            type="quota",
            name="CallCount",
            stat="Sum",
            role="saturation",
            bad="up",
            missing="zero",
            unit="calls",
            where=_counted("CallCount"),
        ),
    ),
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    listed=False,  # read where an alarm, a request or a person names one, or what shares one is the symptom
)
