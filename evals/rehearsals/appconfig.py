"""Applications with an environment, a profile with a version, and a strategy."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    app = lay.do("appconfig", "CreateApplication", Name="rehearsal")["Id"]
    lay.known(lay.told("applicationId"), app)
    lay.perhaps(
        "appconfig",
        "CreateDeploymentStrategy",
        Name="rehearsal",
        DeploymentDurationInMinutes=1,
        GrowthFactor=20.0,
    )
    lay.perhaps("appconfig", "CreateEnvironment", ApplicationId=app, Name="rehearsal")


GROUNDS = (Ground(service="appconfig", lay=_lay),)
