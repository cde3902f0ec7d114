"""SQS queues.

Physics, from the developer guide: a message that is not deleted within the visibility timeout is delivered again; after
`maxReceiveCount` deliveries it goes to the dead-letter queue; what is not read waits; age is that of the oldest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evals.world import deliveries, keys
from evals.world.deeds_lambda import MOST
from evals.world.deeds_sqs import change, tag
from evals.world.flow import Flow, Load, Passage
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.kms import encrypts
from evals.world.metrics import Emit, source
from evals.world.seed import mix
from evals.world.stage import Stage, setting, share_above
from evals.world.telemetry import Sample, Source, counted, level
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

RECEIVES = 5
"""Deliveries after which a message goes to the dead-letter queue."""


class QueueStage(Stage):
    """Messages wait here until the stage after it takes them; failed ones come back.

    With a key of the customer a queue asks KMS anew once its data key is used up; then it neither takes nor gives.
    """

    reasons = ("key",)
    physical = ("VisibilityTimeout",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self._waiting: deque[list[int]] = deque()  # [arrived at, messages, deliveries so far]
        self._hidden: deque[list[int]] = deque()  # [visible again at, messages, deliveries, arrived at]
        self._given: list[list[int]] = []  # what this slice handed on: [messages, deliveries, arrived at]

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        mapping = self.world.things.get(self.thing.fixed.get("mapping", ""))
        if mapping is not None:
            yield mapping
        yield from keys.watched(self.world, self.thing)

    def begin(self, second: int) -> None:
        self._waiting.clear()
        self._hidden.clear()

    def tight(self, second: int, wanted: int) -> bool:
        """While receipts expire before runs end, messages come back within seconds."""
        return self._late(second, self.flow.base_ms) > 0 or self._late(second + 59, self.flow.base_ms) > 0

    def _late(self, second: float, ms: float) -> float:
        """The share of runs that take longer than a message stays hidden."""
        return share_above(self._visible(second) * 1000 / ms) if ms else 0.0

    def _visible(self, second: float) -> int:
        held = self.at("VisibilityTimeout", second)
        return 30 if held is None else int(held)

    def _enabled(self, second: float) -> bool:
        mapping = self.world.things.get(self.thing.fixed.get("mapping", ""))
        return mapping is None or bool(setting(mapping, "Enabled", second - 20))

    def most(self, second: float) -> int:
        """Runs that the mapping starts at the same time; 0 where it has no maximum."""
        mapping = self.world.things.get(self.thing.fixed.get("mapping", ""))
        return int(setting(mapping, MOST, second - 20) or 0) if mapping is not None else 0

    def _allowed(self, second: int, seconds: int) -> int:
        """How many messages the pollers may hand on in a slice."""
        if not self._enabled(second) or self._locked(second):
            return 0
        following = self.flow.stages[self.index + 1] if self.index + 1 < len(self.flow.stages) else None
        found = following.capacity(second, seconds) if following else None
        most, room = self.most(second), getattr(following, "room", None)
        if most and room is not None:
            bound = room(most, seconds)
            return int(bound if found is None else min(found, bound))
        return 2**40 if found is None else found

    def _locked(self, second: float) -> str:
        """The error of KMS, once the data key that the queue holds is used up."""
        if not self.thing.fixed.get("key"):
            return ""
        held = self.world.seed.integer(f"data key:{self.thing.arn}", 15, keys.REUSE - 20)
        return keys.trouble(self.world, self.thing, second - held) and keys.trouble(
            self.world, self.thing, second
        )

    def text(self, reason: str) -> str:
        code = keys.trouble(self.world, self.thing, self.world.start.timestamp()) or "DisabledException"
        said = keys.told(self.world, self.thing, code)
        return f"An error occurred (KMS.{code}) when calling the SendMessage operation: {said}"

    def enter(self, load: Load) -> None:
        if not load.calm and self._locked(load.second):
            load.end(self.index, "key", load.alive, 12, unseen=True)
        sent = load.alive
        if load.calm:
            load.passages.append(Passage(sent, 0, {}, {"sent": sent, "received": sent}))
            return
        while self._hidden and self._hidden[0][0] <= load.second:
            _, messages, given, arrived = self._hidden.popleft()
            self._waiting.appendleft([arrived, messages, given])
        if sent:
            self._waiting.append([load.second, sent, 0])
        room = self._allowed(load.second, load.seconds)
        self._given = []
        while self._waiting and room > 0:
            head = self._waiting[0]
            taken = min(head[1], room)
            head[1] -= taken
            room -= taken
            self._given.append([taken, head[2] + 1, head[0]])
            if not head[1]:
                self._waiting.popleft()
        received = sum(one[0] for one in self._given)
        load.alive = received
        waiting = sum(one[1] for one in self._waiting)
        oldest = min((one[0] for one in self._waiting), default=load.second + load.seconds)
        age = max(0, load.second + load.seconds - oldest)
        stuck = 1.0 if waiting > 20 + 2 * sent and age > 120 else 0.0
        gauges = {"sent": sent, "received": received, "waiting": waiting, "age": age, "troubled": stuck}
        load.passages.append(Passage(sent, 0, {}, gauges))

    def leave(self, load: Load) -> None:
        if load.calm or not self._given:
            return
        failed = sum(one.many for one in load.endings if one.stage > self.index)
        visible = self._visible(load.second)
        expired = round(load.alive * self._late(load.second, load.ms))
        again = failed + expired  # done, but the receipt had expired: delivered once more
        dead = 0
        for messages, given, arrived in sorted(self._given, key=lambda one: -one[1]):
            if again <= 0:
                break
            back = min(messages, again)
            again -= back
            if given >= RECEIVES and self.thing.fixed.get("dead_letter"):
                dead += back
            else:
                self._hidden.append([load.second + load.seconds + visible, back, given, arrived])
        self._hidden = deque(sorted(self._hidden))
        hidden = sum(one[1] for one in self._hidden)
        deleted = load.alive - min(load.alive, expired)
        self.note(load, dead=dead, hidden=hidden, deleted=deleted)
        if expired:
            self.note(load, troubled=1.0)


def _make(shop: Workshop, wish: Wish) -> Thing:
    dead = shop.one(wish, "dead_letter", "queue")
    thing = shop.add(shop.world.arn("sqs", wish.name), wish, {"dead_letter": dead.arn if dead else ""})
    encrypts(shop, wish, thing)
    if dead:
        dead.fixed["fed_by"] = thing.arn
        shop.world.relate(thing.arn, "sends failures to", dead.arn)
    retention = 345_600 if dead else 1_209_600
    return shop.settle(thing, wish, {"VisibilityTimeout": 180, "MessageRetentionPeriod": retention})


def _link(shop: Workshop, queue: Thing, function: Thing) -> None:
    from evals.world.kinds.lambda_ import mapping

    made = mapping(shop, queue, function)
    key = next((one for one, thing in shop.made.items() if thing is queue), queue.name)
    shop.made[f"{key}_mapping"] = made


def _metrics(queue: Thing, flow: Flow | None) -> Iterator[Source]:
    """AWS/SQS. A queue without a flow stands empty; a dead-letter queue fills from the queue that it belongs to."""
    held = {"QueueName": queue.name}

    def made(name: str, unit: str, emit: Emit) -> Source:
        return source(queue, "AWS/SQS", name, held, unit, emit)

    if flow is None:
        for name in ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted"):
            yield made(name, "Count", lambda minute: counted(0.0))
        for name in ("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"):
            yield made(name, "Count", lambda minute: level(0.0))
        yield made("ApproximateAgeOfOldestMessage", "Seconds", lambda minute: level(0.0))
        return
    index = flow.stage(queue.arn)
    yield made("NumberOfMessagesSent", "Count", _total(flow, index, "sent"))
    yield made("NumberOfMessagesReceived", "Count", _total(flow, index, "received"))
    yield made("NumberOfMessagesDeleted", "Count", _deleted(flow, index))
    yield made("ApproximateNumberOfMessagesVisible", "Count", _standing(flow, index, "waiting", 31, 6))
    yield made("ApproximateNumberOfMessagesNotVisible", "Count", _standing(flow, index, "hidden", 32, 6))
    yield made("ApproximateAgeOfOldestMessage", "Seconds", _standing(flow, index, "age", 33, 4))


def dead_letters(dead: Thing, queue: Thing, flow: Flow) -> Iterator[Source]:
    """The metrics of a dead-letter queue: what came in since the flow was disturbed stays."""
    index, held = flow.stage(queue.arn), {"QueueName": dead.name}

    def came(minute: int) -> float:
        return sum(one.passages[index].gauges.get("dead", 0.0) for one in flow.minute(minute).slices)

    def stands(minute: int) -> Sample | None:
        since = flow.disturbed_from
        return level(
            sum(came(one) for one in range(since, minute + 1)) if since is not None and minute >= since else 0
        )

    for name in ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted"):
        yield source(dead, "AWS/SQS", name, held, "Count", lambda minute: counted(0.0))
    yield source(dead, "AWS/SQS", "ApproximateNumberOfMessagesVisible", held, "Count", stands)
    yield source(
        dead, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", held, "Count", lambda minute: level(0.0)
    )


def _total(flow: Flow, index: int, name: str) -> Emit:
    def emit(minute: int) -> Sample | None:
        row = flow.minute(minute)
        return counted(sum(one.passages[index].gauges.get(name, 0.0) for one in row.slices))

    return emit


def _deleted(flow: Flow, index: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        row = flow.minute(minute)
        return counted(float(sum(one.passages[index].gauges.get("deleted", one.alive) for one in row.slices)))

    return emit


def _standing(flow: Flow, index: int, name: str, salt: int, usual: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        row = flow.minute(minute)
        held = max(one.passages[index].gauges.get(name, 0.0) for one in row.slices)
        return level(held + mix(flow.demand.salt, minute, salt) % usual)

    return emit


KINDS = (
    Kind(
        name="queue",
        options={
            "dead_letter": "id of the queue for messages that fail too often",
            "key": "id of the key with which it is encrypted; SQS's own by default",
        },
        settings={
            "VisibilityTimeout": "seconds",
            "MessageRetentionPeriod": "seconds",
            "Policy": "the access policy: a list of statements",
        },
        make=_make,
        link=_link,
        stage=QueueStage,
        metrics=_metrics,
        change=change,
        tag=tag,
        kept=lambda world, queue, path, value: deliveries.kept(value) if path == "Policy" else value,
    ),
)
