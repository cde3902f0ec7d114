"""State machines with two versions, and an alias on them."""

from __future__ import annotations

import json

from evals.rehearsals._ground import Ground, Lay

_LAST = 12  # of the versions that the examples name
_PASS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Pass", "End": True}}}


def _lay(lay: Lay) -> None:
    own = str(lay.told("stateMachineAliasArn", "stateMachineVersionArn", "stateMachineArn"))
    name = own.split(":")[6]
    lay.do(
        "stepfunctions", "CreateStateMachine", name=name, definition=json.dumps(_PASS), roleArn=lay.role(),
        publish=True,
    )  # fmt: skip
    for number in range(_LAST):
        changed = {**_PASS, "Comment": str(number)}
        arn = own.split(":stateMachine:", maxsplit=1)[0] + f":stateMachine:{name}"
        lay.do(
            "stepfunctions",
            "UpdateStateMachine",
            stateMachineArn=arn,
            definition=json.dumps(changed),
            publish=True,
        )


GROUNDS = (Ground(service="states", lay=_lay),)
