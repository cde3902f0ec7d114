"""Runs in processes of their own, results in order. A process that dies takes its own run with it and no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from typing import Generic, TypeVar

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told after every run: how many are done, and of how many."""
DIED = "the process of this run died twice: killed, out of memory, or a crash in a library"


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """One run. `run` goes to another process; `lost` makes its result when that process dies, from the reason."""

    run: Callable[[], T]
    lost: Callable[[str], T]


def all_of(
    jobs: Sequence[Job[T]], processes: int | None = None, progress: Progress | None = None
) -> tuple[T, ...]:
    """The results of all jobs, in order. `processes`: how many run side by side; None: as many as there are cores."""
    together = min(len(jobs), _cores() if processes is None else processes)
    if together <= 1:
        return tuple(_counted((job.run() for job in jobs), len(jobs), progress))
    return tuple(_counted(_pooled(jobs, together), len(jobs), progress))


def _pooled(jobs: Sequence[Job[T]], together: int) -> Iterator[T]:
    """A process that dies breaks its whole pool, and nobody knows whose run it was: what had not ended runs again, each
    in a pool of its own.
    """
    again: dict[int, Future[T]] = {}
    with (
        ThreadPoolExecutor(together) as threads,
        ProcessPoolExecutor(together, mp_context=_context()) as pool,
    ):
        first: list[Future[T]] = [_submitted(pool, job) for job in jobs]
        for number, future in enumerate(first):
            try:
                yield future.result()
            except BrokenProcessPool:
                if not again:
                    wait(first)
                    again = {
                        at: threads.submit(_alone, jobs[at])
                        for at, one in enumerate(first)
                        if isinstance(one.exception(), BrokenProcessPool)
                    }
                yield again[number].result()


def _submitted(pool: ProcessPoolExecutor, job: Job[T]) -> Future[T]:
    try:
        return pool.submit(job.run)
    except BrokenProcessPool as broken:  # it broke while jobs were still handed over
        lost: Future[T] = Future()
        lost.set_exception(broken)
        return lost


def _alone(job: Job[T]) -> T:
    with ProcessPoolExecutor(1, mp_context=_context()) as pool:
        try:
            return pool.submit(job.run).result()
        except BrokenProcessPool:
            return job.lost(DIED)


def _counted(results: Iterable[T], total: int, progress: Progress | None) -> Iterator[T]:
    for number, one in enumerate(results, 1):
        if progress is not None:
            progress(number, total)
        yield one


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context() -> BaseContext:
    """New processes without this one's threads and locks; where the system can, they share what they import."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["evals.suite", "evals.world"])
    return context
