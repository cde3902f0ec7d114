"""Where what is put back differs from what a template declares: the last live value is right, the drift is told."""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import statement
from graph.words import say
from tools import arn as arns
from tools.aws import Reader
from tools.catalogue import service_of
from tools.errors import NotThere
from tools.history import same
from tools.models import Resource, Statement, Value
from tools.services._spec import Setting
from tools.stacks import declared, literal

_ID = "aws:cloudformation:stack-id"
_NAME = "aws:cloudformation:stack-name"


def stack_of(resource: Resource) -> str:
    """The ARN of the stack that made the resource, as its tags tell; "" when they tell none.

    CloudFormation tags what it makes (user guide, "Resource tags"); not every service takes the tags.
    """
    if id := resource.tags.get(_ID, ""):
        return id
    name = resource.tags.get(_NAME, "")
    if not name or not resource.region or not resource.account:
        return ""
    partition = arns.parse(resource.arn).partition if arns.is_arn(resource.arn) else "aws"
    return f"arn:{partition}:cloudformation:{resource.region}:{resource.account}:stack/{name}"


def drift(reader: Reader, resource: Resource, setting: Setting, right: Value) -> Statement | None:
    """What the template declares where it differs from `right`, the value that was live; None where nothing differs.

    Asks nothing of a resource whose tags name no stack.
    """
    arn = stack_of(resource)
    service = service_of(arn) if arn else None
    if service is None or setting.hidden:
        return None
    stack = None
    with reader.seeing(say("stack of {name}", name=resource.name), say("what its template declares")):
        try:
            stack = service.describe(reader, arn)
        except NotThere:
            stack = None
    if stack is None:
        return None
    for physical in _physical(resource):
        found = declared(reader, stack, physical)
        if found is None:
            continue
        told, value = literal(found, setting.path)
        if not told or same(value, right, setting):
            return None
        return statement(
            "The template of the stack {stack} declares {declared} for the {setting}, but {live} was live: it had been "
            "changed outside of the stack. {live} is put back; the stack's next update may set {declared}.",
            evidence=(*found.evidence, *stack.evidence[:1]),
            stack=stack.name,
            declared=_text(value),
            setting=setting.name,
            live=_text(right),
        )
    return None


def _physical(resource: Resource) -> Iterator[str]:
    """What CloudFormation may call it: name, ARN, or the last part of it."""
    last = resource.arn.rpartition(":")[2].rpartition("/")[2]
    yield from dict.fromkeys((resource.name, resource.arn, last))


def _text(value: Value) -> str:
    return say("none") if value is None else str(value)
