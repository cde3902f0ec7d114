"""User pools: one with a client."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    pool = lay.do("cognito-idp", "CreateUserPool", PoolName="rehearsal")["UserPool"]["Id"]
    lay.known(lay.told("userPoolId"), pool)
    client = lay.do("cognito-idp", "CreateUserPoolClient", UserPoolId=pool, ClientName="rehearsal")
    lay.known(lay.told("clientId"), client["UserPoolClient"]["ClientId"])


GROUNDS = (Ground(service="cognitoidp", lay=_lay),)
