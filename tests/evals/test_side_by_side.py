"""Runs in processes of their own: a process that dies is told as its own run's failure, and the others go on."""

from __future__ import annotations

import os
from functools import partial

from evals.side_by_side import DIED, Job, all_of


def job(text: str) -> Job[int | str]:
    return Job(partial(int, text), lambda why: f"{text}: {why}")


DIES: Job[int | str] = Job(partial(os._exit, 9), lambda why: f"dead: {why}")


def test_results_come_in_order_and_are_counted() -> None:
    told: list[tuple[int, int]] = []
    found = all_of([job("3"), job("1"), job("2")], 2, lambda done, total: told.append((done, total)))
    assert found == (3, 1, 2)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_process_that_dies_fails_its_own_run_only() -> None:
    told: list[int] = []
    jobs = [job("1"), job("2"), DIES, job("4"), job("5"), DIES, job("7")]
    found = all_of(jobs, 2, lambda done, _: told.append(done))
    assert found == (1, 2, f"dead: {DIED}", 4, 5, f"dead: {DIED}", 7)
    assert told == [1, 2, 3, 4, 5, 6, 7]


def test_one_after_the_other_needs_no_process() -> None:
    assert all_of([Job(lambda: 1, str), Job(lambda: 2, str)], 1) == (
        1,
        2,
    )  # no other process could be sent these
    assert all_of([], None) == ()
