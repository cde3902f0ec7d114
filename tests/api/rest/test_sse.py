"""The timeline as server-sent events: everything once, in order, whoever comes when."""

from __future__ import annotations

import asyncio
from typing import Any

import fastapi.routing
import httpx
import pytest

from graph import Report


def test_late_early_and_returning_followers_see_the_same(
    rest: Any, script: Any, events: Any, proven: Report
) -> None:
    async def main() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        story = script({"errors": [*events(range(3)), first, *events(range(3, 6)), second, proven]})
        async with rest(story) as api:
            id = await api.start()
            early = asyncio.create_task(api.events(id))
            part = await api.events(id, most=3)
            first.set()
            middle = asyncio.create_task(api.events(id, after=2))
            rest_of_part = asyncio.create_task(api.events(id, after=part[-1][0]))
            await api.events(id, most=6)
            second.set()
            whole = await early
            assert [number for number, _, _ in whole] == [1, 2, 3, 4, 5, 6, 7, 8]
            assert [event for _, event, _ in whole] == ["timeline"] * 6 + ["report", "done"]
            assert [data["text"] for _, event, data in whole if event == "timeline"] == [
                f"event {number}" for number in range(6)
            ]
            assert whole[-1][2] == {"status": "done", "verdict": "root_cause", "revision": 1, "error": None}
            assert part + await rest_of_part == whole
            assert await middle == whole[2:]
            assert await api.events(id) == whole

    asyncio.run(main())


def test_an_event_told_twice_is_stored_once(rest: Any, script: Any, events: Any, proven: Report) -> None:
    async def main() -> None:
        story = [*events([1, 2]), *events([2, 1, 3]), proven, proven]
        async with rest(script({"errors": story})) as api:
            whole = await api.events(await api.start())
            assert [data["text"] for _, event, data in whole if event == "timeline"] == [
                "event 1",
                "event 2",
                "event 3",
            ]
            assert [event for _, event, _ in whole[-2:]] == ["report", "done"]
            assert len(whole) == 5

    asyncio.run(main())


def test_many_followers_of_a_long_story(rest: Any, script: Any, events: Any, proven: Report) -> None:
    async def main() -> None:
        async with rest(script({"errors": [*events(range(700)), proven]})) as api:
            id = await api.start()
            seen = await asyncio.gather(*(api.events(id, after=start) for start in (0, 1, 250, 699)))
            numbers = [[number for number, _, _ in one] for one in seen]
            assert numbers == [list(range(start + 1, 703)) for start in (0, 1, 250, 699)]

    asyncio.run(main())


def test_who_has_seen_the_end_is_told_not_to_come_again(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            id = await api.start()
            last = (await api.events(id))[-1][0]
            again = await api.client.get(
                f"/investigations/{id}/timeline", headers={"Last-Event-ID": str(last)}
            )
            assert (again.status_code, again.content) == (204, b"")

    asyncio.run(main())


def test_a_silent_timeline_is_kept_alive(
    rest: Any, script: Any, proven: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.02)

    async def main() -> None:
        gate = asyncio.Event()
        async with rest(script({"errors": [gate, proven]})) as api:
            path = f"/investigations/{await api.start()}/timeline"
            async with api.client.stream("GET", path) as got:
                pings = 0
                async for line in got.aiter_lines():
                    pings += line == ": ping"
                    if pings == 3:
                        gate.set()
                assert pings >= 3

    asyncio.run(main())


def test_a_follower_who_leaves_takes_no_bell_with_him(rest: Any, script: Any, events: Any) -> None:
    async def main() -> None:
        async with rest(script({"errors": [*events([1]), asyncio.Event()]})) as api:
            id = await api.start()
            await api.events(id, most=1)
            for _ in range(200):
                if not api.service.hub._bells:
                    break
                await asyncio.sleep(0.05)
            assert api.service.hub._bells == {}

    asyncio.run(main())


@pytest.mark.parametrize("sent", ["", "nonsense", "-3", "9" * 40, "１"])
def test_an_odd_last_event_id_begins_at_the_beginning(
    rest: Any, script: Any, proven: Report, sent: str
) -> None:
    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            path = f"/investigations/{await api.start()}/timeline"
            got: httpx.Response = await api.client.get(path, headers={"Last-Event-ID": sent.encode()})
            assert got.text.count("event: done") == 1
            assert "id: 1\n" in got.text

    asyncio.run(main())
