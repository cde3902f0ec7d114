"""One request that renumbers several rules of a listener: one cause, and all of them go back in one call."""

from __future__ import annotations

from dataclasses import replace

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Mitigation, RootCause
from graph.plan import plan
from graph.undoing.known import Known
from graph.undoing.restore import restoration
from graph.weighing import weigh
from tests.graph import made
from tests.graph.made import arn, event
from tools.models import ChangeEvent, Json, Resource

_WHERE = "app/parcels/50dc6c495c0c9188"
BALANCER = arn("elasticloadbalancing", f"loadbalancer/{_WHERE}")
LISTENER = arn("elasticloadbalancing", f"listener/{_WHERE}/f2f7dc8efc522ab2")
GROUP = arn("elasticloadbalancing", "targetgroup/parcels/73e2d6bc24d8a067")
RULES = {
    name: arn("elasticloadbalancing", f"listener-rule/{_WHERE}/f2f7dc8efc522ab2/{code}")
    for name, code in (
        ("shop", "9683b2d02a6cabee"),
        ("rest", "0f1e2d3c4b5a6978"),
        ("help", "1a2b3c4d5e6f7081"),
    )
}


def renumbered(minutes: float = -1.0, **numbers: int) -> ChangeEvent:
    """SetRulePriorities as CloudTrail records it, the rules as they are since in its answer."""
    pairs = [{"ruleArn": RULES[name], "priority": number} for name, number in numbers.items()]
    answer = {"rules": [{"ruleArn": RULES[name], "priority": str(one)} for name, one in numbers.items()]}
    return event(
        "elasticloadbalancing",
        "SetRulePriorities",
        {"rulePriorities": pairs},
        minutes=minutes,
        response=answer,
    )


def created(name: str, number: int, minutes: float) -> ChangeEvent:
    rule = {"ruleArn": RULES[name], "priority": str(number), "isDefault": False}
    sent: Json = {"listenerArn": LISTENER, "priority": number, "conditions": [], "actions": []}
    return event("elasticloadbalancing", "CreateRule", sent, minutes=minutes, response={"rules": [rule]})


def site(**numbers: int) -> tuple[Resource, ...]:
    """A balancer, its listener and rules with these numbers by now."""
    rules = [
        made.resource(RULES[name], f"parcels rule {name}", {
            "RuleArn": RULES[name], "Priority": str(number),
            "Taken": [str(other) for one, other in numbers.items() if one != name],
        })
        for name, number in numbers.items()
    ]  # fmt: skip
    group = {"TargetGroupArn": GROUP, "LoadBalancerArns": [BALANCER], "TargetHealth": []}
    return (
        made.resource(
            BALANCER, "parcels", {"LoadBalancerArn": BALANCER, "Type": "application", "TargetGroups": [GROUP]}
        ),
        made.resource(LISTENER, "parcels:443", {"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER}),
        made.resource(GROUP, "parcels", group),
        *rules,
    )


def seen(resources: tuple[Resource, ...], *events: ChangeEvent) -> Facts:
    return made.facts(
        symptom=(BALANCER, "HTTPCode_Target_4XX_Count"),
        moves={(BALANCER, "HTTPCode_Target_4XX_Count"): (0.1, 30.0)},
        resources=resources,
        changes=events,
    )


def told(facts: Facts) -> tuple[RootCause, Mitigation]:
    ranked = weigh(facts)
    assert [one.event for one in ranked if one.event].count(ranked[0].event) == 1
    cause = root_cause(facts, ranked[0])
    found = plan(facts, cause)
    assert found is not None
    return cause, found


def sent(plan: Mitigation, part: str = "apply") -> list[Json]:
    return [call.parameters for one in getattr(plan, part) for call in one.calls]


def pairs(**numbers: int) -> Json:
    return {"RulePriorities": [{"RuleArn": RULES[name], "Priority": one} for name, one in numbers.items()]}


def test_one_rule_goes_back_to_the_number_of_the_earlier_event() -> None:
    facts = seen(
        site(shop=40, rest=5), created("rest", 400, -9000), renumbered(-3000, rest=1500), renumbered(rest=5)
    )
    cause, found = told(facts)
    assert (cause.resource, cause.field) == (RULES["rest"], "Priority")
    assert (cause.prior_value, cause.bad_value) == ("1500", "5")
    assert [one.kind for one in cause.prior_sources] == ["previous_event"]
    assert sent(found) == [pairs(rest=1500)]
    assert sent(found, "rollback") == [pairs(rest=5)]


def test_rules_that_changed_places_go_back_in_one_call_and_the_one_put_first_is_named() -> None:
    history = (created("shop", 10, -9000), created("rest", 900, -8000), created("help", 20, -7000))
    facts = seen(site(rest=10, shop=11, help=21), *history, renumbered(shop=11, help=21, rest=10))
    cause, found = told(facts)
    assert (cause.resource, cause.prior_value, cause.bad_value) == (RULES["rest"], "900", "10")
    assert sent(found) == [pairs(shop=10, help=20, rest=900)]
    assert sent(found, "rollback") == [pairs(shop=11, help=21, rest=10)]
    sources = " ".join(one.text for one in found.apply[0].provenance)
    assert "900 ←" in sources
    assert "parcels rule shop: 10 ←" in sources
    assert "parcels rule help: 20 ←" in sources


def test_where_another_ones_number_is_unknown_only_the_known_one_goes_back_and_it_is_said() -> None:
    facts = seen(site(rest=10, shop=11), created("rest", 900, -8000), renumbered(shop=11, rest=10))
    cause, found = told(facts)
    assert cause.resource == RULES["rest"]
    assert sent(found) == [pairs(rest=900)]
    assert any("priority of parcels rule shop" in one.text for one in found.mind)


def test_a_number_that_another_rule_has_by_now_is_not_sent() -> None:
    facts = seen(site(rest=10, shop=900), created("rest", 900, -8000), renumbered(shop=900, rest=10))
    cause, found = told(facts)
    assert (cause.prior_known, cause.prior_value) == (True, "900")
    assert sent(found) == []


def test_a_rule_that_was_made_in_front_is_deleted() -> None:
    facts = seen(site(shop=40, rest=5), created("rest", 5, -1))
    cause, found = told(facts)
    assert (cause.resource, cause.field, cause.prior_known) == (RULES["rest"], "", False)
    assert sent(found) == [{"RuleArn": RULES["rest"]}]


def test_undo_of_several_is_one_call_and_needs_all_of_them() -> None:
    history = (created("shop", 10, -9000), created("rest", 900, -8000))
    bad = renumbered(shop=11, rest=10)
    resources = {one.arn: one for one in site(shop=11, rest=10)}
    whole = restoration(bad, Known(events=(*history, bad), resources=resources))
    assert (whole.outcome, [one.parameters for one in whole.calls]) == ("exact", [pairs(shop=10, rest=900)])
    assert [(one.resource, one.before, one.after) for one in whole.fields] == [
        (RULES["shop"], "10", "11"),
        (RULES["rest"], "900", "10"),
    ]
    less = restoration(bad, Known(events=(history[0], bad), resources=resources))
    assert (less.outcome, less.calls) != ("exact", whole.calls)


def test_undo_of_one_rule_keeps_a_later_change() -> None:
    first, bad, later = created("rest", 900, -9000), renumbered(-60, rest=10), renumbered(-5, rest=30)
    resources = {one.arn: one for one in site(rest=30)}
    found = restoration(bad, Known(events=(first, bad, later), resources=resources))
    assert (found.outcome, found.later) == ("superseded", later)
    now = {one.arn: one for one in site(rest=10)}
    known = Known(events=(first, bad), resources=now)
    assert [one.parameters for one in restoration(bad, known).calls] == [pairs(rest=900)]
    assert restoration(bad, replace(known, events=(bad,))).outcome == "partial"
