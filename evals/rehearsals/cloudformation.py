"""Stacks: one with a queue in it."""

from __future__ import annotations

import json

from evals.rehearsals._ground import Ground, Lay

_TEMPLATE = {"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}


def _lay(lay: Lay) -> None:
    name = str(lay.told("stackName"))
    lay.do("cloudformation", "CreateStack", StackName=name, TemplateBody=json.dumps(_TEMPLATE))


GROUNDS = (Ground(service="cloudformation", lay=_lay),)
