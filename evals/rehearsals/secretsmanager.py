"""Secrets, without anything secret in them."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    if lay.event.operation == "DeleteSecret":
        return  # its history makes it
    own = str(lay.told("secretId", "aRN", "arn"))
    name = own.rsplit(":", 1)[-1]
    name = name[:-7] if own.startswith("arn:") and name[-7:-6] == "-" else name
    made = lay.do("secretsmanager", "CreateSecret", Name=name, SecretString="none")
    if own.startswith("arn:"):
        lay.known(own, made["ARN"])


GROUNDS = (
    Ground(
        service="secretsmanager",
        lay=_lay,
        untold=("GetSecretValue", "BatchGetSecretValue", "GetRandomPassword"),
    ),
)
