"""Parameters with some versions, documents and associations."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    operation = lay.event.operation
    if operation in ("UnlabelParameterVersion", "LabelParameterVersion"):
        for number in range(int(lay.told("parameterVersion", default=1))):
            lay.do(
                "ssm", "PutParameter", Name=lay.told("name"), Value=str(number), Type="String", Overwrite=True
            )
    if operation == "UnlabelParameterVersion":
        lay.do(
            "ssm", "LabelParameterVersion", Name=lay.told("name"), Labels=lay.told("labels"),
            ParameterVersion=int(lay.told("parameterVersion", default=1)),
        )  # fmt: skip


GROUNDS = (Ground(service="ssm", lay=_lay),)
