from __future__ import annotations

from pathlib import Path

import pytest

from evals.suite import run_suite
from evals.validate import validate
from tools.errors import BadInput

CASE = """\
title: A function's timeout is cut
draws:
  per_second: {between: [5, 9], seed_1: 6}
  good: {choose: [30, 40], seed_1: 30}
  cut: {choose: [2, 3], seed_1: 2}
  pair: {choose: [{low: 1, high: 2}, {low: 3, high: 4}]}
people:
  operator: {way: user-console, name: "{person_2}"}
  deploy: {way: ci, name: release, role: gha-deploy}
resources:
  queue: {kind: queue, name: "{nouns}-in", calls: worker, settings: {VisibilityTimeout: 360}}
  worker:
    kind: function
    name: "{noun}-worker"
    settings: {Timeout: 15, MemorySize: 512}
    with: {own_error: "no {noun}"}
    calls: table
  table: {kind: table, name: "{nouns}"}
traffic:
  per_second: $per_second
  duration_ms: 5000
alarms:
  alarm:
    name: "{noun}-worker-errors"
    on: worker
    namespace: AWS/Lambda
    metric: Errors
    dimensions: {FunctionName: "{name}"}
    stat: Sum
    threshold: 20
    missing: notBreaching
events:
  - {id: prior, at: -26d, who: deploy, set: worker, path: Timeout, to: $good}
  - {id: change, at: 0s, who: operator, set: worker, path: Timeout, to: $cut, known_as: timeout}
look: {after: alarm, minutes: 15}
"""
TRUTH = """\
verdict: root_cause
cause:
  kind: change
  resource: $worker.arn
  prior: $timeout.before
  event: $change.event_id
onset: $onset
plan:
  apply:
    - service: lambda
      operation: UpdateFunctionConfiguration
      parameters: {FunctionName: $worker.name, Timeout: $timeout.before}
harmful:
  - {operation: PurgeQueue}
prevention: [block]
"""


def write(root: Path, case: str = CASE, truth: str = TRUTH) -> Path:
    folder = root / "a-case"
    folder.mkdir()
    (folder / "case.yaml").write_text(case)
    (folder / "truth.yaml").write_text(truth)
    return folder


def told(folder: Path, seeds: tuple[int, ...]) -> list[tuple[str, int, str]]:
    found = validate(folder, seeds=seeds).mistakes
    return [(Path(one.path).name, one.line, one.text) for one in found]


def planted(text: str, old: str, new: str) -> tuple[str, int]:
    """The text with a mistake, and the line in which it begins."""
    assert text.count(old) == 1
    return text.replace(old, new), text[: text.index(old)].count("\n") + 1


def test_a_sound_case_has_no_mistake_in_any_of_three_worlds(tmp_path: Path) -> None:
    found = validate(write(tmp_path))
    assert found.render() == "OK: 1 case\n"
    assert found.cases == ("a-case",)


IN_CASE = [
    ("title: A function's timeout is cut", "titel: x", ['unknown key "titel"', '"title"']),
    ("per_second: {between: [5, 9], seed_1: 6}", "per_second: {betwen: [5, 9]}", ['Did you mean "between"?']),
    ("[5, 9]", "[9, 5]", ["draws.per_second.between", "smaller number first"]),
    ("choose: [30, 40]", "times: [cut]", ["either choose or between"]),
    ("good: {choose: [30, 40], seed_1: 30}", "good: {choose: [$good]}", ['"good" depends on itself']),
    (
        "good: {choose: [30, 40], seed_1: 30}",
        "good: {between: [1, 2], times: [cute]}",
        ['Did you mean "cut"?'],
    ),
    ("way: user-console", "way: user-consol", ['people.operator.way: "user-consol" is not known', "sso-cli"]),
    ("{way: ci, name: release, role: gha-deploy}", "{way: ci, name: release}", ["say with `role`"]),
    ("{person_2}", "{person_7}", ["{person_7} is neither a draw nor a known word", "Words: noun"]),
    ("kind: queue", "kind: queues", ['resources.queue: there is no kind "queues"', 'Did you mean "queue"?']),
    (
        "calls: worker",
        "calls: worked",
        ['resources.queue.calls: there is no "worked"', 'Did you mean "worker"?'],
    ),
    ("calls: worker", "calls: 7", ["resources.queue.calls must be an id, a list of ids, or a map"]),
    (
        "{VisibilityTimeout: 360}",
        "{Visibility: 360}",
        ['a queue has no setting "Visibility"', "VisibilityTimeout"],
    ),
    ('own_error: "no {noun}"', "own_eror: x", ['a function has no option "own_eror"', 'mean "own_error"?']),
    (
        'table: {kind: table, name: "{nouns}"}',
        "table: {kind: table, name: 7}",
        ["must be a text, not 7", '"7"'],
    ),
    ('name: "{nouns}"}', 'name: "{nouns}", calls: queue}', ["resources.table.calls: a table calls nothing"]),
    ('name: "{nouns}"}', 'name: "{nouns}", route: GET /}', ["a table has no routes"]),
    ("per_second: $per_second", "per_second: $per_hour", ["traffic.per_second: $per_hour is neither a draw"]),
    ("per_second: $per_second", "per_second: many", ['must be a number or a draw such as $name, not "many"']),
    ("duration_ms: 5000", "duration_ms: $pair.mid", ['draw "pair" has no "mid"', "Known: low, high"]),
    ("duration_ms: 5000", "duration_ms: $Pair", ['"$Pair" is no reference']),
    ("duration_ms: 5000", "enters: tabel", ['traffic.enters: there is no "tabel"', 'Did you mean "table"?']),
    ("duration_ms: 5000", "amplitude: $cut", ["traffic.amplitude must be a number", "No draw is read here"]),
    ("on: worker", "on: werker", ['alarms.alarm.on: there is no "werker"', 'Did you mean "worker"?']),
    ('"{name}"', '"{nme}"', ["{nme} is neither a draw nor a known word"]),
    ('"{name}"', '"{name"', ["has a single brace", "{{"]),
    ("stat: Sum", "stat: Total", ['alarms.alarm.stat: "Total" is no statistic', "Average"]),
    ("threshold: 20", "treshold: 20", ['unknown key "treshold"', 'Did you mean "threshold"?']),
    ("missing: notBreaching", "missing: notbreaching", ['Did you mean "notBreaching"?']),
    ("missing: notBreaching", "datapoints: 6", ["6 datapoints of 5 periods cannot be"]),
    ("missing: notBreaching", "period: 45", ["must be a multiple of 60 seconds, not 45"]),
    ("missing: notBreaching", "comparison: MoreThan", ['"MoreThan" is not known', "GreaterThanThreshold"]),
    ("at: -26d", "at: 26 days ago", ['"26 days ago" is no moment of a case', "-39d"]),
    ("at: -26d", "at: 7", ["must be a text, not 7"]),
    ("who: deploy", "who: deplyo", ['"deplyo" is none of the people', 'Did you mean "deploy"?']),
    (
        "set: worker, path: Timeout, to: $good",
        "set: wrker, path: Timeout, to: 3",
        ['events.prior.set: there is no "wrker"'],
    ),
    (
        "path: Timeout, to: $good",
        "path: Timout, to: $good",
        ['a function has no setting "Timout"', '"Timeout"?'],
    ),
    ("path: Timeout, to: $good", "path: Timeout", ["`path` needs `to`", "to: null"]),
    ("path: Timeout, to: $good", "path: _bug, to: 1", ["_bug is nature, which nobody does", "`who`"]),
    ("path: Timeout, to: $good", "path: Timeout, to: soon", ["must be a number (seconds), not soon"]),
    ("path: Timeout, to: $good", "known_as: x", ["say what changes"]),
    (
        "set: worker, path: Timeout, to: $good",
        "create: worker",
        ["no call is known that creates a function", "table"],
    ),
    ("set: worker, path: Timeout, to: $good", "tag: {a: b}", ["say with `set` or `create`"]),
    ("set: worker, path: Timeout, to: $good", "set: alarm, path: Treshold, to: 1", ['no setting "Treshold"']),
    ("{id: prior,", "{id: change,", []),  # its twin two lines below is the mistake
    ("{id: prior,", "{id: worker,", ['a resource or alarm has the id "worker" too']),
    (
        "look: {after: alarm, minutes: 15}",
        "look: {after: alrm, minutes: 15}",
        ["look.after", 'Did you mean "alarm"?'],
    ),
    ("look: {after: alarm, minutes: 15}", "look: {after: alarm}", ['look needs "minutes"']),
    ("look: {", "trigger: alarms\nlook: {", ['trigger: there is no alarm "alarms"', 'Did you mean "alarm"?']),
    ("look: {", "region: Tokyo\nlook: {", ['"Tokyo" is no AWS region']),
    ("look: {", "switches: {deny: [cloudtrail]}\nlook: {", ["is no IAM action", "cloudtrail:LookupEvents"]),
    ("look: {", "switches: {noise: -3}\nlook: {", ["switches.noise", "greater than or equal to 0"]),
    ("look: {", "like: no-such-case\nlook: {", ['like: there is no case "no-such-case"']),
    ("title: A function's", "title: \"A function's", ["no good YAML"]),
    ("stat: Sum", "on: worker", ['"on" stands twice, first in line 25']),
]


@pytest.mark.parametrize(
    ("old", "new", "words"), IN_CASE, ids=[new.split("\n")[0][:50] for _, new, _ in IN_CASE]
)
def test_a_mistake_in_a_case_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    case, line = planted(CASE, old, new)
    found = told(write(tmp_path, case), ())
    if not words:
        line, words = line + 1, ['the id "change" is taken']
    if "YAML" in words[0]:
        assert [(file, text[: len(words[0])]) for file, _, text in found if file == "case.yaml"] == [
            ("case.yaml", words[0])
        ]
        return
    assert any(
        file == "case.yaml" and at == line and all(word in text for word in words) for file, at, text in found
    ), found


IN_TRUTH = [
    ("verdict: root_cause", "verdict: guilty", ['verdict: "guilty" is not known', "root_cause"]),
    ("verdict: root_cause", "verdict: root_cause\nculprit: me", ['unknown key "culprit"', "actor"]),
    ("kind: change", "kind: chang", ['cause.kind: "chang" is not known', 'Did you mean "change"?']),
    ("$worker.arn", "$wrker.arn", ["cause.resource", "nothing called wrker", 'Did you mean "worker"?']),
    ("$timeout.before", "$Timeout before", []),
    (
        "operation: UpdateFunctionConfiguration",
        "operation: UpdateFunction",
        ["lambda has no UpdateFunction", "Did you"],
    ),
    ("service: lambda", "service: lambada", ["no AWS service that boto3 knows", 'Did you mean "lambda"?']),
    ("FunctionName: $worker.name", "Function: $worker.name", ['Unknown parameter in input: "Function"']),
    ("Timeout: $timeout.before}", "Timeout: soon}", ["plan.apply.0", "Invalid type for parameter Timeout"]),
    ("operation: PurgeQueue", "operation: PurgeQueues", ["there is no operation PurgeQueues", "PurgeQueue"]),
    ("[block]", "[blok]", ['prevention.0: "blok" is not known', 'Did you mean "block"?']),
]


@pytest.mark.parametrize(
    ("old", "new", "words"), IN_TRUTH, ids=[new.split("\n")[-1][:50] for _, new, _ in IN_TRUTH]
)
def test_a_mistake_in_a_truth_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    if not words:
        old, words = "prior: $timeout.before", ['"$Timeout before" is no reference']
        new = f"prior: {new}"
    truth, line = planted(TRUTH, old, new)
    line += new.count("\n")
    found = told(write(tmp_path, truth=truth), ())
    assert [(file, at) for file, at, _ in found] == [("truth.yaml", line)] * len(found)
    assert any(all(word in text for word in words) for _, _, text in found), found


IN_WORLD = [
    ("threshold: 20", "threshold: 20000", "  alarm:", ["it never goes red", "Errors (Sum) is between"]),
    (
        "look: {after: alarm, minutes: 15}",
        "look: {after: moment, minutes: 1}",
        "look:",
        ["minutes before alarm", "after: alarm"],
    ),
    ("to: $cut", "to: $good", "  - {id: change", ["Timeout is 30 already (seed 1): nothing changes"]),
    ("duration_ms: 5000", "duration_ms: 40", "look:", ["there is no onset"]),
    ("metric: Errors", "metric: Failures", "    metric:", ["which nothing emits", "AWS/Lambda/Errors"]),
    ("on: worker", "on: table", "    metric:", ["which nothing emits", "AWS/DynamoDB"]),
    ("at: -26d", "at: -90d", "  - {id: prior", ["is before worker is made, 75 days before", "age_days"]),
    (
        "set: worker, path: Timeout, to: $good",
        "set: queue_mapings, path: Enabled, to: true",
        "  - {id: prior",
        ["queue_mapping"],
    ),
    (
        "set: worker, path: Timeout, to: $good",
        "set: queue_mapping, path: Enable, to: true",
        "  - {id: prior",
        ["Enabled"],
    ),
    (
        "duration_ms: 5000",
        'duration_ms: "{noun}"',
        "  duration_ms:",
        ['is "order" with seed 1; it must be a number'],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "words"), IN_WORLD, ids=[new[:50] for _, new, _, _ in IN_WORLD]
)
def test_what_cannot_happen_is_told_where_it_is_written(
    tmp_path: Path, old: str, new: str, place: str, words: list[str]
) -> None:
    case, _ = planted(CASE, old, new)
    if words == ["there is no onset"]:
        case = case.replace("after: alarm", "after: onset")
    line = next(number for number, text in enumerate(case.splitlines(), 1) if text.startswith(place))
    found = told(write(tmp_path, case), (1,))
    assert ("case.yaml", line, True) in [
        (file, at, all(word in text for word in words)) for file, at, text in found
    ], found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "$timeout.before\n",
            "$timeout.befor\n",
            ["no fact of the world is called $timeout.befor", "$timeout.before"],
        ),
        ("onset: $onset", "onset: $worker.name", ["onset must be a moment"]),
        (
            "{FunctionName: $worker.name, Timeout: $timeout.before}",
            "{FunctionName: x, Timeout: $worker.name}",
            ["Invalid type"],
        ),
    ],
)
def test_references_are_tried_on_a_world(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    truth, line = planted(TRUTH, old, new)
    found = told(write(tmp_path, truth=truth), (1,))
    assert [(file, at) for file, at, _ in found] == [("truth.yaml", line)] * len(found)
    assert any(all(word in text for word in words) for _, _, text in found), found


def test_all_mistakes_of_both_files_are_told_at_once_in_order(tmp_path: Path) -> None:
    case = (
        CASE.replace("stat: Sum", "stat: Total").replace("who: deploy", "who: deplyo").replace("titl", "tilt")
    )
    found = told(write(tmp_path, case, TRUTH.replace("[block]", "[blok]")), (1, 2, 3))
    assert [(file, line) for file, line, _ in found] == [
        ("case.yaml", 1),
        ("case.yaml", 1),
        ("case.yaml", 29),
        ("case.yaml", 33),
        ("truth.yaml", 15),
    ]


def test_what_a_sibling_says_wrongly_is_told_in_the_siblings_file(tmp_path: Path) -> None:
    case, line = planted(CASE, "threshold: 20", "treshold: 20")
    base = write(tmp_path, case)
    other = tmp_path / "other"
    other.mkdir()
    (other / "case.yaml").write_text("title: y\nlike: a-case\nlook: {after: alarm, minuts: 3}\n")
    (other / "truth.yaml").write_text("like: a-case\nverdict: not_found\n")
    found = validate(other, seeds=()).mistakes
    assert (str(base / "case.yaml"), line) in {(one.path, one.line) for one in found}
    assert (str(other / "case.yaml"), 3) in {(one.path, one.line) for one in found}


def test_missing_files_and_folders_are_mistakes(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "truth.yaml").unlink()
    assert [(file, text[:23]) for file, _, text in told(folder, ())] == [
        ("truth.yaml", "there is no truth.yaml.")
    ]
    assert "no such folder" in validate(tmp_path / "none").mistakes[0].text
    (tmp_path / "empty").mkdir()
    assert "no case is here" in validate(tmp_path / "empty").mistakes[0].text


def test_the_suite_refuses_before_the_first_run_with_the_same_words(tmp_path: Path) -> None:
    folder = write(tmp_path, CASE.replace("stat: Sum", "stat: Total"))
    with pytest.raises(BadInput) as raised:
        run_suite(tmp_path, processes=1)
    (mistake,) = validate(folder, seeds=()).mistakes
    assert f"\n{mistake}" in str(raised.value)
    assert mistake.line == 29


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "Timeout: 15",
            "Timeout: ten",
            "resources.worker.settings.Timeout must be a number (seconds), not ten.",
        ),
        ("to: $good", "to: soon", "events.prior.to must be a number (seconds), not soon."),
        ("set: worker, path: Timeout, to: $cut", "set: alarm, path: Threshold, to: high", "must be a number"),
        (
            "who: deploy, set: worker, path: Timeout, to: $good",
            "set: worker, path: _bug, to: 1",
            "must be a map: {share",
        ),
    ],
)
def test_values_must_be_of_the_form_that_their_setting_has(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    case, line = planted(CASE, old, new)
    found = [one for one in told(write(tmp_path, case), ()) if one[0] == "case.yaml"]
    assert [(at, words in text) for _, at, text in found] == [(line, True)], found


def test_an_option_that_names_nothing_is_told_at_the_option(tmp_path: Path) -> None:
    case, line = planted(CASE, 'with: {own_error: "no {noun}"}', "with: {guarded_by: doors}")
    ((file, at, text),) = told(write(tmp_path, case), (1,))
    assert (file, at) == ("case.yaml", line)
    assert 'names "doors", which is no resource above it' in text
