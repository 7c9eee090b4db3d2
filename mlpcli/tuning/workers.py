"""The processes that run the trials of a study on this machine."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import NamedTuple

from mlpcli.errors import Interrupted, MlpError
from mlpcli.signals import defer_signals
from mlpcli.tuning.results import Result, over
from mlpcli.tuning.search import Search
from mlpcli.tuning.study import Check, SharedStudy, open_study

# What a process that is asked to end has to finish a mini-batch.
END_SECONDS = 10
# So many processes for each job may die in a row, without a trial that ends.
MOST_DEATHS = 5


class Worker(NamedTuple):
    """A process that runs trials."""

    process: SpawnProcess
    failure: Connection
    """Where it sends what it fails with."""


def run_trials(study: SharedStudy, jobs: int, check: Check) -> Iterator[list[Result]]:
    """Run the trials that a study lacks, so many at a time.

    Args:
        study: an open study.
        jobs: how many; 1 runs them in this process.
        check: called every now and then; may raise.

    Yields:
        All results, whenever a trial has ended.

    Raises:
        MlpError: what a process failed at, or if too many were killed.
    """
    if jobs == 1:
        yield from study.run(check)
        return
    with _working(study.search, jobs) as workers:
        ended = deaths = 0
        while not study.is_over():
            check()
            for i, worker in enumerate(workers):
                if not worker.process.is_alive():
                    with suppress(EOFError):
                        raise worker.failure.recv()
                    # It was killed: another one begins its trial again.
                    deaths += 1
                    workers[i] = _start(study.search)
            if deaths > MOST_DEATHS * jobs:
                remedy = "see with --jobs 1 what it is"
                raise MlpError("--jobs", "processes end before their trials do", remedy)
            study.wait()
            results = study.results()
            if len(over(results)) > ended:
                ended, deaths = len(over(results)), 0
                yield results


@contextmanager
def _working(search: Search, jobs: int) -> Iterator[list[Worker]]:
    """Have processes run trials; in the end, wait for each to finish its mini-batch."""
    workers = [_start(search) for _ in range(jobs)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join(END_SECONDS)
            worker.process.kill()


def _start(search: Search) -> Worker:
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(search, os.getpid(), sender), daemon=True)
    process.start()
    sender.close()
    return Worker(process, receiver)


def _work(search: Search, parent: int, failure: Connection) -> None:
    """Run trials as long as there are any, no signal comes and the parent lives."""
    with defer_signals() as received:

        def check() -> None:
            if received or os.getppid() != parent:
                raise Interrupted(received[0] if received else signal.SIGTERM)

        try:
            with open_study(search) as study:
                for _ in study.run(check):
                    check()
        except Interrupted:
            pass
        except Exception as error:  # noqa: BLE001 - the parent raises it
            failure.send(error)
