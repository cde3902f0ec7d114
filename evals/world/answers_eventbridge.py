"""EventBridge's reads of rules, targets and buses."""

from __future__ import annotations

from evals.world.asking import Ask, Refusal, handles
from evals.world.world import Thing
from tools.models import Json


def _bus(ask: Ask) -> str:
    return str(ask.take("EventBusName") or "default").rsplit("event-bus/", maxsplit=1)[-1]


def _rules(ask: Ask, bus: str) -> list[Thing]:
    return [
        one
        for one in ask.world.of("rule", ask.region)
        if one.fixed["bus"] == bus and one.created <= ask.as_of
    ]


def _rule(ask: Ask, member: str) -> Thing:
    name, bus = str(ask.need(member)), _bus(ask)
    found = next((one for one in _rules(ask, bus) if one.name == name), None)
    if found is None:
        raise Refusal("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus}.")
    return found


def _shown(ask: Ask, rule: Thing) -> Json:
    shown: Json = {"Name": rule.name, "Arn": rule.arn, "EventBusName": rule.fixed["bus"]}
    for member in ("EventPattern", "ScheduleExpression", "State", "Description"):
        held = rule.at(member, ask.as_of)
        if held is not None:
            shown[member] = held
    return shown


def _paged(ask: Ask, name: str, found: list[Json] | list[str]) -> Json:
    size, token = int(ask.take("Limit") or 100), ask.take("NextToken")
    page, following = ask.page(found, size, token)
    return {name: page} | ({"NextToken": following} if following else {})


@handles("events", "ListRules")
def list_rules(ask: Ask) -> Json:
    prefix = str(ask.take("NamePrefix") or "")
    found = [_shown(ask, one) for one in _rules(ask, _bus(ask)) if one.name.startswith(prefix)]
    return _paged(ask, "Rules", found)


@handles("events", "DescribeRule")
def describe_rule(ask: Ask) -> Json:
    return _shown(ask, _rule(ask, "Name")) | {"CreatedBy": ask.world.account}


def _targets(ask: Ask, rule: Thing) -> list[Json]:
    held = rule.settings.under("Targets", ask.as_of)
    return [{"Id": code, **held[code]} for code in sorted(held)]


@handles("events", "ListTargetsByRule")
def list_targets_by_rule(ask: Ask) -> Json:
    return _paged(ask, "Targets", _targets(ask, _rule(ask, "Rule")))


@handles("events", "ListRuleNamesByTarget")
def list_rule_names_by_target(ask: Ask) -> Json:
    target = str(ask.need("TargetArn"))
    rules = _rules(ask, _bus(ask))
    return _paged(
        ask, "RuleNames", [one.name for one in rules if any(t["Arn"] == target for t in _targets(ask, one))]
    )


@handles("events", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    arn = str(ask.need("ResourceARN"))
    found = ask.world.things.get(arn)
    if found is None or found.kind != "rule":
        raise Refusal("ResourceNotFoundException", f"{arn} does not exist.")
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(found.tags(ask.as_of).items())]}


def _buses(ask: Ask) -> list[Json]:
    names = {"default"} | {one.fixed["bus"] for one in ask.world.of("rule", ask.region)}
    return [{"Name": name, "Arn": ask.world.arn("events", f"event-bus/{name}")} for name in sorted(names)]


@handles("events", "ListEventBuses")
def list_event_buses(ask: Ask) -> Json:
    prefix = str(ask.take("NamePrefix") or "")
    return _paged(ask, "EventBuses", [one for one in _buses(ask) if one["Name"].startswith(prefix)])


@handles("events", "DescribeEventBus")
def describe_event_bus(ask: Ask) -> Json:
    name = str(ask.take("Name") or "default").rsplit("event-bus/", maxsplit=1)[-1]
    found = next((one for one in _buses(ask) if one["Name"] == name), None)
    if found is None:
        raise Refusal("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return found
