"""Keys: one, enabled."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    key = lay.do("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    own = str(lay.told("targetKeyId", "keyId")).rsplit("/", 1)[-1]
    if own.startswith("alias"):
        return
    lay.known(own, key)
    lay.words["keyid"] = own


GROUNDS = (Ground(service="kms", lay=_lay, untold=("GetPublicKey", "GetParametersForImport")),)
