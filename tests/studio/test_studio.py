"""LangGraph Studio's own requests against a real `langgraph dev`: forms, a run, its steps, a question, time travel."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httpx
import pytest

from evals import demo
from graph import Report, TimelineEvent, investigate
from tests.studio.conftest import Recorded, Studio

pytestmark = pytest.mark.slow

NODES = ["intake", "planner", "topology", "forensics", "logs", "metrics"]
NODES += ["diagnosis", "mitigation", "prevention", "report"]
ALARM, CONTEXT = demo()
SOURCE = {"source": CONTEXT.source}


def told(report: Any) -> dict[str, Any]:
    """A report as JSON without what differs between equal runs."""
    plain = report.model_dump(mode="json") if isinstance(report, Report) else report
    return {key: value for key, value in plain.items() if key != "statistics"}


@pytest.fixture(scope="module")
def ended(studio: Studio) -> tuple[str, list[tuple[str, Any]]]:
    """A thread on which the recorded incident was investigated, and what was streamed."""
    thread = studio.client.threads.create()["thread_id"]
    parts = studio.client.runs.stream(
        thread,
        "investigation",
        input={"trigger": {"alarm": ALARM.alarm}},
        context=cast("Any", SOURCE),
        stream_mode=["updates", "custom"],
    )
    return thread, [(part.event, part.data) for part in parts]


def report_of(studio: Studio, thread: str) -> dict[str, Any]:
    return told(cast("dict[str, Any]", studio.client.threads.get_state(thread)["values"])["report"])


def test_studio_gets_a_form_of_three_fields_and_a_context_of_defaults(studio: Studio) -> None:
    (assistant,) = studio.client.assistants.search()
    assert assistant["name"] == "investigation"
    shown = studio.client.assistants.get_schemas(assistant["assistant_id"])
    given = cast("dict[str, Any]", shown["input_schema"])["properties"]
    assert list(given) == ["trigger"]
    assert list(given["trigger"]["properties"]) == ["alarm", "resource", "text"]
    context = cast("dict[str, Any]", shown["context_schema"])
    assert not context.get("required")
    assert all("default" in field and field["description"] for field in context["properties"].values())
    assert context["properties"]["source"]["default"] == "live"


def test_studio_draws_every_node(studio: Studio) -> None:
    drawn = studio.client.assistants.get_graph("investigation")
    assert {str(node["id"]) for node in drawn["nodes"]} == {"__start__", "__end__", *NODES}


def test_an_alarm_and_a_source_give_the_report_of_the_door(
    studio: Studio, ended: tuple[str, list[tuple[str, Any]]]
) -> None:
    thread, streamed = ended
    report = report_of(studio, thread)
    assert report["verdict"] == "root_cause"
    assert report["root_cause"]["prior_value"] == 250
    assert report == told(asyncio.run(investigate(ALARM, CONTEXT)))
    assert {name for event, data in streamed if event == "updates" for name in data} == set(NODES)
    events = [TimelineEvent.model_validate(data) for event, data in streamed if event == "custom"]
    assert sorted(event.key for event in events) == sorted(event["key"] for event in report["timeline"])


def test_every_checkpoint_leads_to_the_same_report(
    studio: Studio, ended: tuple[str, list[tuple[str, Any]]]
) -> None:
    thread, _ = ended
    report = report_of(studio, thread)
    history = studio.client.threads.get_history(thread, limit=100)
    earlier = [one for one in history if one["next"] != ["__start__"]][1:]
    assert len(earlier) == 8
    for point in earlier:
        again = studio.client.runs.wait(
            thread,
            "investigation",
            input=None,
            checkpoint_id=point["checkpoint"]["checkpoint_id"],
            context=cast("Any", SOURCE),
        )
        assert told(cast("dict[str, Any]", again)["report"]) == report, point["next"]


def test_words_that_fit_several_wait_for_a_choice_and_go_on(studio: Studio, recorded: Recorded) -> None:
    thread = studio.client.threads.create()["thread_id"]
    context = cast("Any", {"source": recorded.source, "interactive": True})
    words = {"trigger": {"text": recorded.report.incident.text}}
    studio.client.runs.wait(thread, "investigation", input=words, context=context)
    waiting = studio.client.threads.get(thread)
    assert waiting["status"] == "interrupted"
    ((asked,),) = waiting["interrupts"].values()
    choices = list(recorded.question.choices)
    assert asked["value"] == {"question": recorded.question.text, "choices": choices}
    studio.client.runs.wait(
        thread, "investigation", command={"resume": "function order-writer"}, context=context
    )
    report = report_of(studio, thread)
    assert report == told(recorded.report)
    assert report["verdict"] == "root_cause"


@pytest.mark.parametrize(
    ("context", "said"),
    [(None, "set AWS_REGION"), ({"source": "recording:nowhere.yaml"}, "nowhere.yaml")],
)
def test_a_run_that_cannot_start_says_what_to_do(
    studio: Studio, context: dict[str, str] | None, said: str
) -> None:
    thread = studio.client.threads.create()["thread_id"]
    parts = studio.client.runs.stream(
        thread,
        "investigation",
        input={"trigger": {"alarm": ALARM.alarm}},
        context=cast("Any", context),
    )
    (error,) = [cast("Any", part.data) for part in parts if part.event == "error"]
    assert said in error["message"]


def test_no_node_blocks_the_server(studio: Studio, ended: tuple[str, list[tuple[str, Any]]]) -> None:
    assert "Blocking call" not in studio.log.read_text()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("https://smith.langchain.com", "https://smith.langchain.com"), ("https://example.com", None)],
)
def test_only_the_page_of_studio_may_talk_to_the_server(
    studio: Studio, origin: str, allowed: str | None
) -> None:
    answer = httpx.options(
        f"{studio.url}/threads",
        headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
    )
    assert answer.headers.get("access-control-allow-origin") == allowed
