"""Lambda's configuration reads."""

from __future__ import annotations

import json
from datetime import datetime

from evals.world.asking import Ask, Refusal, handles
from evals.world.deeds_lambda import code_sha
from evals.world.world import Thing
from tools.models import Json


def _function(ask: Ask, text: str) -> Thing:
    name = text.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
    found = ask.world.named("function", name, ask.region)
    if found is None:
        arn = ask.world.arn("lambda", f"function:{name}")
        raise Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return found


def _qualifier(ask: Ask) -> str:
    qualifier = str(ask.take("Qualifier", "$LATEST"))
    if qualifier != "$LATEST":
        raise Refusal("ResourceNotFoundException", f"Function not found: {qualifier}", 404)
    return qualifier


def configuration(function: Thing, moment: datetime, qualified: bool = False) -> Json:
    settings = function.settings
    changed = max(
        (
            since
            for path, steps in settings.steps.items()
            if not path.startswith(("_", "Policy.", "tags."))
            for since in steps.since
            if since <= moment
        ),
        default=function.created,
    )
    variables = {key: str(value) for key, value in settings.under("Environment", moment).items()}
    shown: Json = {
        "FunctionName": function.name,
        "FunctionArn": function.arn + (":$LATEST" if qualified else ""),
        "Runtime": function.fixed["runtime"],
        "Role": function.fixed["role"],
        "Handler": "app.handler",
        "CodeSize": 900_000 + sum(map(ord, function.name)) * 37,
        "Description": "",
        "Timeout": function.at("Timeout", moment),
        "MemorySize": function.at("MemorySize", moment),
        "LastModified": changed.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "CodeSha256": code_sha(function, moment),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": function.fixed["revision"],
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }
    if variables:
        shown["Environment"] = {"Variables": variables}
    if "subnets" in function.fixed:
        shown["VpcConfig"] = {
            "SubnetIds": [arn.rsplit("/", 1)[1] for arn in function.fixed["subnets"]],
            "SecurityGroupIds": [arn.rsplit("/", 1)[1] for arn in function.fixed["security_groups"]],
            "VpcId": function.fixed["vpc"],
            "Ipv6AllowedForDualStack": False,
        }
    if function.fixed.get("dead_letter"):
        shown["DeadLetterConfig"] = {"TargetArn": function.fixed["dead_letter"]}
    return shown


@handles("lambda", "ListFunctions")
def list_functions(ask: Ask) -> Json:
    size, token = min(int(ask.take("MaxItems", 50)), 50), ask.take("Marker")
    ask.only("FunctionVersion", "ALL")
    found = [configuration(function, ask.as_of) for function in ask.world.of("function", ask.region)]
    page, following = ask.page(found, size, token)
    answer: Json = {"Functions": page}
    if following:
        answer["NextMarker"] = following
    return answer


@handles("lambda", "GetFunctionConfiguration")
def get_function_configuration(ask: Ask) -> Json:
    _qualifier(ask)
    return configuration(_function(ask, str(ask.need("FunctionName"))), ask.as_of)


@handles("lambda", "GetFunctionConcurrency")
def get_function_concurrency(ask: Ask) -> Json:
    function = _function(ask, str(ask.need("FunctionName")))
    reserved = function.at("ReservedConcurrentExecutions", ask.as_of)
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@handles("lambda", "GetPolicy")
def get_policy(ask: Ask) -> Json:
    _qualifier(ask)
    function = _function(ask, str(ask.need("FunctionName")))
    held = function.settings.under("Policy", ask.as_of)
    statements = [held[name] for name in sorted(held)]
    if not statements:
        raise Refusal("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(document), "RevisionId": function.fixed["revision"]}


def _mapping(ask: Ask, mapping: Thing) -> Json:
    most = mapping.at("ScalingConfig.MaximumConcurrency", ask.as_of)
    steps = mapping.settings.steps.values()
    changed = [since for one in steps for since in one.since if mapping.created < since <= ask.as_of]
    return {
        "UUID": mapping.name,
        "BatchSize": mapping.at("BatchSize", ask.as_of),
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": mapping.fixed["source"],
        "FunctionArn": mapping.fixed["function"],
        "LastModified": max(changed, default=mapping.created),
        "LastProcessingResult": "No records processed",
        "State": "Enabled" if mapping.at("Enabled", ask.as_of) else "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "EventSourceMappingArn": mapping.arn,
        "FunctionResponseTypes": [],
    } | ({} if most is None else {"ScalingConfig": {"MaximumConcurrency": most}})


@handles("lambda", "ListEventSourceMappings")
def list_event_source_mappings(ask: Ask) -> Json:
    function, source = ask.take("FunctionName"), ask.take("EventSourceArn")
    size, token = min(int(ask.take("MaxItems", 100)), 100), ask.take("Marker")
    wanted = _function(ask, str(function)).arn if function else None
    found = [
        _mapping(ask, mapping)
        for mapping in ask.world.of("mapping", ask.region)
        if (wanted is None or mapping.fixed["function"] == wanted)
        and (not source or mapping.fixed["source"] == source)
    ]
    page, following = ask.page(found, size, token)
    answer: Json = {"EventSourceMappings": page}
    if following:
        answer["NextMarker"] = following
    return answer


@handles("lambda", "GetEventSourceMapping")
def get_event_source_mapping(ask: Ask) -> Json:
    found = ask.world.named("mapping", str(ask.need("UUID")), ask.region)
    if found is None:
        raise Refusal("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return _mapping(ask, found)


@handles("lambda", "GetFunctionEventInvokeConfig")
def get_function_event_invoke_config(ask: Ask) -> Json:
    function = _function(ask, str(ask.need("FunctionName")))
    _qualifier(ask)
    said = f"The function {function.arn} doesn't have an EventInvokeConfig"
    raise Refusal("ResourceNotFoundException", said, 404)


@handles("lambda", "ListFunctionEventInvokeConfigs")
def list_function_event_invoke_configs(ask: Ask) -> Json:
    _function(ask, str(ask.need("FunctionName")))
    ask.take("MaxItems")
    return {"FunctionEventInvokeConfigs": []}


@handles("lambda", "ListProvisionedConcurrencyConfigs")
def list_provisioned_concurrency_configs(ask: Ask) -> Json:
    _function(ask, str(ask.need("FunctionName")))
    ask.take("MaxItems")
    return {"ProvisionedConcurrencyConfigs": []}


@handles("lambda", "GetAlias")
def get_alias(ask: Ask) -> Json:
    function = _function(ask, str(ask.need("FunctionName")))
    name = ask.need("Name")
    raise Refusal("ResourceNotFoundException", f"Cannot find alias arn: {function.arn}:{name}", 404)


@handles("lambda", "ListVersionsByFunction")
def list_versions_by_function(ask: Ask) -> Json:
    function = _function(ask, str(ask.need("FunctionName")))
    ask.take("MaxItems")
    return {"Versions": [configuration(function, ask.as_of, qualified=True)]}


@handles("lambda", "ListAliases")
def list_aliases(ask: Ask) -> Json:
    _function(ask, str(ask.need("FunctionName")))
    ask.take("MaxItems")
    ask.take("FunctionVersion")
    return {"Aliases": []}


@handles("lambda", "ListTags")
def list_tags(ask: Ask) -> Json:
    return {"Tags": _function(ask, str(ask.need("Resource"))).tags(ask.as_of)}


@handles("lambda", "GetAccountSettings")
def get_account_settings(ask: Ask) -> Json:
    functions = ask.world.of("function", ask.region)
    reserved = sum(int(one.at("ReservedConcurrentExecutions", ask.as_of) or 0) for one in functions)
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": 1000,
            "UnreservedConcurrentExecutions": 1000 - reserved,
        },
        "AccountUsage": {"TotalCodeSize": 1_000_000 * len(functions), "FunctionCount": len(functions)},
    }
