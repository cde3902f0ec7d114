"""AppConfig: what is deployed, what was before, and the calls that bring it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current, prior
from tools.models import Actor, Call, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services.appconfig import SERVICE, describe, discover, relations
from tools.versions import before

AT = "arn:aws:appconfig:eu-west-1:111122223333"
PROFILE = f"{AT}:application/a1b2c3d/configurationprofile/c7d8e9f"
PLACE = f"{AT}:application/a1b2c3d/environment/e4f5a6b"
ARN = f"{PLACE}/configuration/c7d8e9f"
NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
VERSION = next(one for one in SERVICE.settings if one.name == "deployed version")
IDS: Json = {"applicationId": "a1b2c3d", "environmentId": "e4f5a6b"}


def happened(operation: str, request: Json, response: Json | None = None, *, minutes: int = 0) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source="appconfig.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="cli"),
        request=request,
        response=response or {},
    )


def deployment(number: int, version: str, state: str = "COMPLETE", name: str = "limits") -> Json:
    return {
        "DeploymentNumber": number,
        "ConfigurationName": name,
        "ConfigurationVersion": version,
        "State": state,
        "StartedAt": NOON + timedelta(days=number - 12, milliseconds=200),
    }


def account(state: str = "COMPLETE") -> FakeAws:
    deployed = [
        deployment(13, "3", name="flags"),
        deployment(12, "8", state),
        deployment(11, "9", "ROLLED_BACK"),
        deployment(10, "7"),
    ]

    def shown(parameters: Json) -> Json:
        number = parameters["DeploymentNumber"]
        found = next(one for one in deployed if one["DeploymentNumber"] == number)
        return {**found, "ConfigurationProfileId": "c7d8e9f", "DeploymentStrategyId": "AppConfig.AllAtOnce"}

    profile = {
        "ApplicationId": "a1b2c3d",
        "Id": "c7d8e9f",
        "Name": "limits",
        "LocationUri": "ssm-parameter:///shop/limits",
        "RetrievalRoleArn": "arn:aws:iam::111122223333:role/config-reader",
    }
    environment = {
        "ApplicationId": "a1b2c3d",
        "Id": "e4f5a6b",
        "Name": "prod",
        "Monitors": [{"AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-errors"}],
    }
    return FakeAws(
        {
            ("appconfig", "ListApplications"): {"Items": [{"Id": "a1b2c3d", "Name": "shop"}]},
            ("appconfig", "ListEnvironments"): {"Items": [environment]},
            ("appconfig", "ListConfigurationProfiles"): {"Items": [{"Id": "c7d8e9f", "Name": "limits"}]},
            ("appconfig", "GetApplication"): {"Id": "a1b2c3d", "Name": "shop"},
            ("appconfig", "GetEnvironment"): environment,
            ("appconfig", "GetConfigurationProfile"): profile,
            ("appconfig", "ListDeployments"): {"Items": deployed},
            ("appconfig", "GetDeployment"): shown,
            ("appconfig", "GetDeploymentStrategy"): {
                "Id": "s1t2r3a",
                "Name": "slowly",
                "GrowthFactor": 10.0,
                "DeploymentDurationInMinutes": 30,
            },
        }
    )


def described(fake: FakeAws | None = None, arn: str = ARN) -> Resource:
    found = describe((fake or account()).reader(), arn)
    assert found is not None
    return found


# -- reading ----------------------------------------------------------------------------------------


def test_a_configuration_shows_its_newest_deployment_that_counts() -> None:
    found = described()
    assert (found.name, found.type) == ("shop/prod/limits", "configuration")
    assert current(found, VERSION) == "8"
    assert (found.config["DeploymentNumber"], found.config["CompletedVersion"]) == (12, "8")


def test_what_was_rolled_back_is_not_deployed() -> None:
    found = described(account("ROLLED_BACK"))
    assert current(found, VERSION) == "7"


@pytest.mark.parametrize(
    ("arn", "type", "name"),
    [
        (PLACE, "environment", "shop/prod"),
        (PROFILE, "configuration-profile", "shop/limits"),
        (f"{AT}:application/a1b2c3d", "application", "shop"),
        (f"{AT}:deploymentstrategy/s1t2r3a", "deployment-strategy", "slowly"),
    ],
)
def test_each_kind_is_read_by_its_arn(arn: str, type: str, name: str) -> None:
    found = described(arn=arn)
    assert (found.arn, found.type, found.name) == (arn, type, name)
    assert catalogue.type_of(arn) == type
    assert describe(FakeAws({}).reader(), arn) is None


def test_discovery_lists_pairs_of_environment_and_profile() -> None:
    found = {one.arn: one.name for one in discover(account().reader(), "eu-west-1")}
    assert found == {
        f"{AT}:application/a1b2c3d": "shop",
        PLACE: "shop/prod",
        PROFILE: "shop/limits",
        ARN: "shop/prod/limits",
    }


def test_refused_deployments_are_a_gap_and_no_version() -> None:
    fake = account()
    fake.denied = frozenset({"appconfig:ListDeployments"})
    reader = fake.reader()
    found = describe(reader, ARN)
    assert found is not None
    assert [gap.what for gap in reader.gaps] == ["Deployments of a configuration"]
    assert current(found, VERSION) is None


# -- relations --------------------------------------------------------------------------------------


def program(**variables: str) -> Resource:
    return Resource(
        arn="arn:aws:lambda:eu-west-1:111122223333:function:order-writer",
        service="lambda",
        type="function",
        name="order-writer",
        account="111122223333",
        region="eu-west-1",
        config={"Environment": {"Variables": variables}},
    )


@pytest.mark.parametrize(
    ("variables", "confidence"),
    [
        (
            {
                "AWS_APPCONFIG_EXTENSION_PREFETCH_LIST": "/applications/shop/environments/prod/"
                "configurations/limits"
            },
            0.9,
        ),
        ({"PATH_OF_CONFIG": "/applications/a1b2c3d/environments/e4f5a6b/configurations/c7d8e9f"}, 0.9),
        ({"APP": "shop", "STAGE": "prod", "PROFILE": "c7d8e9f"}, 0.7),
        ({"APP": "shop", "STAGE": "prod"}, None),
        ({"PATH_OF_CONFIG": "/applications/shop/environments/test/configurations/limits"}, None),
    ],
)
def test_programs_that_name_all_three_use_it(variables: dict[str, str], confidence: float | None) -> None:
    asking = program(**variables)
    told = [one for one in relations(described(), KnownResources([asking])) if one.source == asking.arn]
    assert [one.confidence for one in told] == ([] if confidence is None else [confidence])


def test_profile_and_environment_tell_where_it_is_kept_and_what_watches_it() -> None:
    nothing = KnownResources([])
    kept = {(one.kind, one.target) for one in relations(described(arn=PROFILE), nothing)}
    assert kept == {
        ("runs as", "arn:aws:iam::111122223333:role/config-reader"),
        ("uses", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/limits"),
    }
    (watch,) = relations(described(arn=PLACE), nothing)
    assert (watch.kind, watch.target) == ("watches", PLACE)
    assert {(one.kind, one.target) for one in relations(described(), nothing)} == {
        ("uses", PROFILE),
        ("deployed in", PLACE),
    }


# -- events and ways back ---------------------------------------------------------------------------


def touched(event: ChangeEvent) -> tuple[str, ...]:
    change = catalogue.change_of(event)
    assert change is not None
    return change.touches(event)


def test_a_start_touches_the_configuration_and_a_stop_what_its_answer_tells() -> None:
    start = happened("StartDeployment", {**IDS, "configurationProfileId": "c7d8e9f"})
    assert touched(start) == (ARN, PLACE, PROFILE)
    stop = happened("StopDeployment", {**IDS, "deploymentNumber": 12})
    assert touched(stop) == (PLACE,)
    told = happened("StopDeployment", {**IDS, "deploymentNumber": 12}, {"configurationProfileId": "c7d8e9f"})
    assert touched(told)[0] == ARN


@given(
    st.dictionaries(
        st.sampled_from(["applicationId", "environmentId", "configurationProfileId", "deploymentStrategyId"]),
        st.one_of(st.none(), st.from_regex(r"[a-z0-9]{4,7}", fullmatch=True)),
    )
)
def test_what_is_touched_first_belongs_to_this_file(request_: Json) -> None:
    for arn in touched(happened("StartDeployment", request_))[:1]:
        assert catalogue.service_of(arn) == SERVICE


def test_the_version_before_is_that_of_the_deployment_before_that_completed() -> None:
    found = described()
    start = happened(
        "StartDeployment", {**IDS, "configurationProfileId": "c7d8e9f", "configurationVersion": "8"}
    )
    told = prior(VERSION, found, start, (), None, versions=before(account().reader(), found, [start.time]))
    assert (told.known, told.value) == (True, "7")


def only(calls: tuple[Call, ...]) -> tuple[str, Json]:
    (one,) = calls
    assert validate(one) == ()
    return one.operation, one.parameters


def test_a_complete_deployment_is_followed_by_one_of_the_version_before() -> None:
    operation, sent = only(VERSION.restore(described(), "7"))
    assert operation == "StartDeployment"
    assert sent == {
        "ApplicationId": "a1b2c3d",
        "EnvironmentId": "e4f5a6b",
        "ConfigurationProfileId": "c7d8e9f",
        "ConfigurationVersion": "7",
        "DeploymentStrategyId": "AppConfig.AllAtOnce",
    }


def test_a_deployment_under_way_is_stopped() -> None:
    under_way = described(account("BAKING"))
    assert only(VERSION.restore(under_way, "7")) == (
        "StopDeployment",
        {"ApplicationId": "a1b2c3d", "EnvironmentId": "e4f5a6b", "DeploymentNumber": 12},
    )
    assert only(VERSION.restore(under_way, "8"))[0] == "StartDeployment", "the way back"
    assert only(VERSION.restore(under_way, "5"))[0] == "StartDeployment", "it would not go back to that"
    assert VERSION.restore(under_way, None) == ()


def test_a_stopped_deployment_is_started_as_it_was() -> None:
    change = catalogue.change_of(happened("StopDeployment", IDS))
    assert change is not None
    assert change.undo is not None
    sent = {
        **IDS,
        "configurationProfileId": "c7d8e9f",
        "configurationVersion": "8",
        "deploymentStrategyId": "s1t2r3a",
    }
    start = happened("StartDeployment", sent, {"deploymentNumber": 12}, minutes=-9)
    other = happened("StartDeployment", sent, {"deploymentNumber": 11}, minutes=-99)
    stop = happened("StopDeployment", {**IDS, "deploymentNumber": 12})
    operation, again = only(change.undo(stop, (start, other)))
    assert (operation, again["DeploymentStrategyId"]) == ("StartDeployment", "s1t2r3a")
    assert change.undo(stop, (other,)) == ()


def test_a_strategy_is_put_back_member_by_member() -> None:
    found = described(arn=f"{AT}:deploymentstrategy/s1t2r3a")
    growth = next(one for one in SERVICE.settings if one.path == "GrowthFactor")
    assert current(found, growth) == 10.0
    assert only(growth.restore(found, 10)) == (
        "UpdateDeploymentStrategy",
        {"DeploymentStrategyId": "s1t2r3a", "GrowthFactor": 10.0},
    )
