"""Starting, listing, reading; bad requests; and nobody but this machine."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create
from api.loopback import is_loopback
from api.service import Settings, serving
from graph import Report, Trigger

PROBLEM = "application/problem+json"
ALARM = {"trigger": {"alarm": "errors"}}


def check_problem(got: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem's body, after what holds for every problem."""
    assert (got.status_code, got.headers["content-type"]) == (status, PROBLEM), got.text
    body: dict[str, Any] = got.json()
    assert body["type"] == f"urn:opsleuth:problem:{kind}"
    assert body["status"] == status
    assert body["instance"] == got.request.url.path
    assert body["title"]
    assert len(body["detail"].split()) > 3
    assert "Traceback" not in got.text
    return body


def test_start_get_and_report(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        async with rest(script({"errors": [gate, proven]})) as api:
            got = await api.client.post("/investigations", json=ALARM | {"context": {"tz": "Asia/Tokyo"}})
            id = got.json()["id"]
            assert (got.status_code, got.headers["location"]) == (202, f"/investigations/{id}")
            here = await api.client.get(got.headers["location"])
            assert here.json()["status"] == "running"
            assert here.json()["trigger"] == {"alarm": "errors", "resource": "", "text": ""}
            early = await api.client.get(here.json()["links"]["report"])
            check_problem(early, 409, "no-report-yet")
            assert early.headers["retry-after"] == "5"

            gate.set()
            found = await api.until(id, "done")
            assert (found["verdict"], found["revision"]) == ("root_cause", 1)
            text = (await api.client.get(f"/investigations/{id}/report")).text
            read = Report.model_validate_json(text)
            assert read.id == found["report"] != proven.id
            assert read.model_copy(update={"id": proven.id}) == proven
            latest = await api.client.get("/investigations/latest")
            assert latest.json() == found

    asyncio.run(main())


def test_the_report_as_markdown_has_its_id_and_the_readers_zone(
    rest: Any, script: Any, proven: Report
) -> None:
    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            id = await api.start(tz="Asia/Tokyo", profile="prod-travel")
            found = await api.until(id, "done")
            got = await api.client.get(f"/investigations/{id}/report?format=md")
            assert got.headers["content-type"] == "text/markdown; charset=utf-8"
            assert got.text.startswith("# PROVEN")
            assert f"opsleuth check {found['report']}" in got.text
            assert "{report}" not in got.text
            assert "JST" in got.text
            assert "--profile prod-travel" in got.text
            berlin = await api.client.get(f"/investigations/{id}/report?format=md&tz=Europe/Berlin")
            assert "CET" in berlin.text
            check_problem(
                await api.client.get(f"/investigations/{id}/report?format=md&tz=Mars"), 422, "invalid"
            )
            check_problem(await api.client.get(f"/investigations/{id}/report?format=pdf"), 422, "invalid")

    asyncio.run(main())


def test_each_revision_can_be_read(rest: Any, script: Any, reports: dict[str, Report]) -> None:
    first = reports["not_yet"]
    second = reports["proven"].model_copy(update={"revision": 2})

    async def main() -> None:
        gate = asyncio.Event()
        async with rest(script({"errors": [first, gate, second]})) as api:
            id = await api.start()
            assert (await api.events(id, most=1))[0][2]["verdict"] == "not_yet"
            assert (await api.client.get(f"/investigations/{id}/report")).json()["verdict"] == "not_yet"
            gate.set()
            await api.until(id, "done")
            read = [
                (await api.client.get(f"/investigations/{id}/report{query}")).json()["verdict"]
                for query in ("?revision=1", "?revision=2", "")
            ]
            assert read == ["not_yet", "root_cause", "root_cause"]
            got = await api.client.get(f"/investigations/{id}/report?revision=3")
            assert "the newest is 2" in check_problem(got, 404, "unknown-revision")["detail"]

    asyncio.run(main())


def test_the_list_pages_newest_first_while_new_ones_come(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        story = script({"errors": [proven], "bad": []})
        async with rest(story) as api:
            ids = [await api.start("bad" if number == 3 else "errors") for number in range(7)]
            for id in ids:
                await api.until(id, "done", "failed")
            seen: list[str] = []
            query = "limit=3"
            while True:
                page = (await api.client.get(f"/investigations?{query}")).json()
                seen += [item["id"] for item in page["items"]]
                if page["next"] is None:
                    break
                query = f"limit=3&cursor={page['next']}"
                await api.start()  # pages that were begun do not move
            assert seen == ids[::-1]

            async def listed(query: str) -> list[str]:
                items = (await api.client.get(f"/investigations?limit=100&{query}")).json()["items"]
                return [item["id"] for item in items if item["id"] in ids]

            assert await listed("status=failed") == [ids[3]]
            assert await listed("verdict=root_cause") == [id for id in ids[::-1] if id != ids[3]]
            assert await listed("verdict=recovered") == []

    asyncio.run(main())


def test_an_idempotency_key_is_honoured(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        story = script({"errors": [proven]})
        async with rest(story) as api:
            headers = {"Idempotency-Key": "page-4711"}
            made = [await api.client.post("/investigations", json=ALARM, headers=headers) for _ in range(3)]
            assert {got.status_code for got in made} == {202}
            assert len({got.json()["id"] for got in made}) == 1
            await api.until(made[0].json()["id"], "done")
            assert len(story.asked) == 1
            other = {"trigger": {"alarm": "others"}}
            got = await api.client.post("/investigations", json=other, headers=headers)
            check_problem(got, 422, "key-reused")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "where", "says"),
    [
        ({}, "trigger", "must be given"),
        ({"trigger": {}}, "trigger", "exactly one of alarm, resource and text; got none"),
        ({"trigger": {"alarm": "  "}}, "trigger", "got none"),
        ({"trigger": {"alarm": "a", "text": "b"}}, "trigger", "got alarm and text"),
        ({"trigger": {"resource": "orders"}}, "trigger.resource", "An ARN looks like"),
        ({"trigger": {"alarm": "a", "colour": "red"}}, "trigger.colour", "there is no such field"),
        (ALARM | {"context": {"record_to": "/tmp/x"}}, "context.record_to", "there is no such field"),
        (ALARM | {"context": {"data_dir": "/tmp"}}, "context.data_dir", "there is no such field"),
        (ALARM | {"context": {"region": "eu-west-1.evil.example"}}, "context.region", "pattern"),
        (ALARM | {"context": {"tz": "Mars/Base"}}, "context.tz", "Asia/Tokyo"),
        (ALARM | {"context": {"role_arn": "opsleuth"}}, "context.role_arn", "arn:aws:iam"),
        (ALARM | {"context": {"role_arn": "arn:aws:s3:::x"}}, "context.role_arn", "arn:aws:iam"),
        (ALARM | {"context": {"as_of": "2026-03-13T17:41:00"}}, "context.as_of", "timezone"),
        (ALARM | {"context": {"as_of": "2999-01-01T00:00:00Z"}}, "context.as_of", "future"),
        (ALARM | {"context": {"max_calls": 0}}, "context.max_calls", "greater"),
        (
            ALARM | {"context": {"source": "recording:/nowhere/x.yaml"}},
            "context.source",
            "no recording at /nowhere",
        ),
        (ALARM | {"context": {"source": "recording:"}}, "context.source", "recording:PATH"),
        (ALARM | {"context": {"source": "recording:/tmp"}}, "context.source", "no recording at /tmp"),
        (ALARM | {"context": {"source": "https://example.com"}}, "context.source", "Known: live"),
        (ALARM | {"context": {"source": f"recording:{__file__}"}}, "context.source", "is not a recording"),
        (ALARM | {"context": {"profile": "nobody"}}, "context.profile", "nobody"),
        (
            {"trigger": {"resource": "arn:aws:braket:eu-west-1:111122223333:job/x"}},
            "trigger.resource",
            "does not know this kind of resource yet (braket",
        ),
    ],
)
def test_a_bad_body_is_told_by_field(rest: Any, script: Any, body: object, where: str, says: str) -> None:
    async def main() -> None:
        async with rest(script()) as api:
            got = check_problem(await api.client.post("/investigations", json=body), 422, "invalid")
            assert [fault["where"] for fault in got["errors"]] == [where]
            assert says in got["errors"][0]["what"]
            assert (await api.client.get("/investigations")).json()["items"] == []

    asyncio.run(main())


def test_a_live_start_without_any_region_is_refused(
    rest: Any, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")

    async def main() -> None:
        async with rest(script()) as api:
            got = check_problem(await api.client.post("/investigations", json=ALARM), 422, "invalid")
            assert [fault["where"] for fault in got["errors"]] == ["context.region"]
            arn = "arn:aws:sqs:eu-north-1:111122223333:jobs"
            made = await api.client.post("/investigations", json={"trigger": {"resource": arn}})
            assert made.status_code == 202
            assert made.json()["context"]["region"] == "eu-north-1"

    asyncio.run(main())


@pytest.mark.parametrize("sent", [b"", b"{", b"\xff", b"[]", b'"x"', b"null"])
def test_what_is_no_json_object_is_told(rest: Any, script: Any, sent: bytes) -> None:
    async def main() -> None:
        async with rest(script()) as api:
            headers = {"Content-Type": "application/json"}
            got = await api.client.post("/investigations", content=sent, headers=headers)
            assert got.status_code in (400, 422)
            assert got.headers["content-type"] == PROBLEM

    asyncio.run(main())


def test_a_post_without_content_type_is_told_which_header_to_send(rest: Any, script: Any) -> None:
    async def main() -> None:
        async with rest(script()) as api:
            sent = b'{"trigger": {"alarm": "orders-writes-throttled"}}'
            got = await api.client.post("/investigations", content=sent)
            assert got.status_code == 422
            assert "header Content-Type: application/json" in got.json()["detail"]
            named = await api.client.post(
                "/investigations", content=b"{", headers={"Content-Type": "application/json"}
            )
            assert "header Content-Type" not in named.json()["detail"]

    asyncio.run(main())


def test_what_was_sent_is_never_echoed(rest: Any, script: Any) -> None:
    async def main() -> None:
        async with rest(script()) as api:
            body = {"trigger": {"alarm": ["hunter2"]}, "password": "hunter2"}
            got = await api.client.post("/investigations", json=body)
            assert got.status_code == 422
            assert "hunter2" not in got.text

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/investigations/0123456789abcdef", 404, "unknown"),
        ("GET", "/investigations/latest", 404, "unknown"),
        ("GET", "/investigations/0123456789abcdef/report", 404, "unknown"),
        ("GET", "/investigations/0123456789abcdef/timeline", 404, "unknown"),
        ("POST", "/investigations/0123456789abcdef/cancel", 404, "unknown"),
        ("GET", "/nonsense", 404, "no-such-path"),
        ("GET", "/docs", 404, "no-such-path"),
        ("DELETE", "/investigations", 405, "method"),
        ("GET", "/investigations?limit=0", 422, "invalid"),
        ("GET", "/investigations?limit=101", 422, "invalid"),
        ("GET", "/investigations?status=lost", 422, "invalid"),
        ("GET", "/investigations?cursor=zzz", 422, "invalid"),
        ("GET", "/investigations?cursor=MTI%3D", 422, "invalid"),
    ],
)
def test_unknown_things_are_problems(
    rest: Any, script: Any, method: str, path: str, status: int, kind: str
) -> None:
    async def main() -> None:
        async with rest(script()) as api:
            check_problem(await api.client.request(method, path), status, kind)

    asyncio.run(main())


def test_a_question_nobody_asked_takes_no_answer(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            id = await api.start()
            await api.until(id, "done")
            got = await api.client.post(f"/investigations/{id}/answer", json={"answer": "x"})
            check_problem(got, 409, "not-waiting")

    asyncio.run(main())


def test_recordings_are_kept_by_their_whole_path_and_found_by_name(
    rest: Any, script: Any, proven: Report, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, named = tmp_path / "near.yaml", shelf / "recordings" / "20260313T174100Z.yaml"
    named.parent.mkdir(parents=True)
    for path in (near, named):
        path.write_text("opsleuth: {}\n")
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            for given, whole in (("near.yaml", near), (named.stem, named), (named.name, named)):
                id = await api.start(source=f"recording:{given}")
                found = (await api.client.get(f"/investigations/{id}")).json()
                assert found["context"]["source"] == f"recording:{whole.resolve()}"

    asyncio.run(main())


@pytest.mark.skipif(find_spec("moto") is not None, reason="worlds are installed here")
def test_without_the_extra_a_world_is_refused(rest: Any, script: Any) -> None:
    async def main() -> None:
        async with rest(script()) as api:
            body = ALARM | {"context": {"source": "world:dynamodb-max-write?seed=1"}}
            check_problem(await api.client.post("/investigations", json=body), 422, "invalid")

    asyncio.run(main())


def test_health_says_versions_and_counts(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            await api.until(await api.start(), "done")
            body = (await api.client.get("/health")).json()
            assert (body["status"], body["store"]) == ("ok", "ok")
            assert set(body["versions"]) == {"opsleuth", "langgraph", "fastapi", "boto3"}
            assert body["investigations"] == {
                "queued": 0,
                "running": 0,
                "waiting": 0,
                "done": 1,
                "failed": 0,
            }
            await api.service.store.close()
            check_problem(await api.client.get("/health"), 503, "unavailable")

    asyncio.run(main())


def test_a_defect_is_a_problem_without_a_trace(
    script: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(Settings(stream=script())) as service:

            async def broken() -> dict[str, int]:
                raise RuntimeError("secret detail")

            monkeypatch.setattr(type(service.store), "counts", lambda self: broken())
            transport = httpx.ASGITransport(create(service), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                got = await client.get("/health")
                assert (got.status_code, got.headers["content-type"]) == (500, PROBLEM)
                assert "RuntimeError" in got.text
                assert "secret detail" not in got.text

    asyncio.run(main())


@pytest.mark.parametrize(
    ("client", "headers", "says"),
    [
        ("192.0.2.7", {}, "from this machine only"),
        ("10.0.0.1", {"Host": "127.0.0.1"}, "from this machine only"),
        ("::ffff:192.0.2.7", {}, "from this machine only"),
        ("testclient", {}, "from this machine only"),
        ("127.0.0.1", {"Host": "rebound.example:8080"}, "Host header"),
        ("127.0.0.1", {"Host": "127.0.0.1.example"}, "Host header"),
        ("127.0.0.1", {"Host": "localhost.example"}, "Host header"),
        ("127.0.0.1", {"Host": "192.0.2.7"}, "Host header"),
        ("127.0.0.1", {"Host": ""}, "Host header"),
        ("127.0.0.1", {"Host": "user@127.0.0.1"}, "Host header"),
        ("127.0.0.1", {"Host": "127.0.0.1:80:80"}, "Host header"),
        ("127.0.0.1", {"Origin": "https://rebound.example"}, "another site"),
        ("127.0.0.1", {"Origin": "http://127.0.0.1.example"}, "another site"),
        ("127.0.0.1", {"Origin": "http://["}, "another site"),
        ("127.0.0.1", {"Origin": "null"}, "another site"),
    ],
)
def test_others_are_refused(
    script: Any, shelf: Path, client: str, headers: dict[str, str], says: str
) -> None:
    for method, path in (("GET", "/health"), ("POST", "/investigations"), ("GET", "/nonsense")):
        story = script({"errors": []})
        got = asyncio.run(_asked(story, client, headers, method, path))
        assert says in check_problem(got, 403, "not-loopback")["detail"]
        assert story.asked == []


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("127.0.0.1", {}),
        ("127.8.8.8", {"Host": "LOCALHOST:8080"}),
        ("::1", {"Host": "[::1]:8080"}),
        ("::ffff:127.0.0.1", {"Host": "127.0.0.1"}),
        ("127.0.0.1", {"Host": "localhost.", "Origin": "http://localhost:3000"}),
    ],
)
def test_this_machine_is_served(script: Any, shelf: Path, client: str, headers: dict[str, str]) -> None:
    assert asyncio.run(_asked(script(), client, headers, "GET", "/health")).status_code == 200


async def _asked(story: Any, client: str, headers: dict[str, str], method: str, path: str) -> httpx.Response:
    async with serving(Settings(stream=story)) as service:
        transport = httpx.ASGITransport(create(service), client=(client, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as one:
            return await one.request(method, path, headers=headers, json=ALARM if method == "POST" else None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com", "", "127.1.example"])
def test_what_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_the_document_describes_every_problem_and_its_examples_are_valid(rest: Any, script: Any) -> None:
    from api.schemas import Start

    async def main() -> None:
        async with rest(script()) as api:
            document = (await api.client.get("/openapi.json")).json()
            assert {"Problem", "Fault", "InvestigationOut", "Report"} <= set(
                document["components"]["schemas"]
            )
            operations = [one for path in document["paths"].values() for one in path.values()]
            assert len(operations) == 8
            for one in operations:
                assert {"403", "422"} <= set(one["responses"])
                for status, told in one["responses"].items():
                    if int(status) >= 400:
                        assert list(told["content"]) == [PROBLEM]
            posted = document["paths"]["/investigations"]["post"]["requestBody"]["content"][
                "application/json"
            ]
            examples = [Start.model_validate(one["value"]) for one in posted["examples"].values()]
            assert len(examples) == 4
            assert examples[0].trigger.trigger() == Trigger(alarm="orders-writes-throttled")

    asyncio.run(main())
