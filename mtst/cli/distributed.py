"""How processes share one command: they join, and fail together instead of waiting for each other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer

from mtst.errors import MtstError
from mtst.training.distributed import ProcessGroup, lacks_others, launched_process_group

T = TypeVar("T")
ONE_ONLY = "accelerate launch has started one process only; with --multi_gpu it starts several, on CPUs too"


@contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Join the team that a launcher has started, and say so if it has started less than it was asked for."""
    if lacks_others():
        typer.echo(ONE_ONLY, err=True)
    with launched_process_group() as team:
        yield team


def by_leader(team: ProcessGroup, work: Callable[[], T]) -> T:
    """Do something in the leading process alone; all of them get what it returns.

    Raises:
        MtstError: it failed; in the other processes the command ends in silence.
    """
    if team.size == 1:
        return work()
    from accelerate.utils import broadcast_object_list

    found, problem = None, ""
    if team.leads:
        try:
            found = work()
        except MtstError as error:
            problem = str(error)
    found, problem = broadcast_object_list([found, problem])
    _give_up_if(problem, team)
    return found


@contextmanager
def raise_together(team: ProcessGroup) -> Iterator[None]:
    """Do something in every process and wait until all have done it.

    Raises:
        MtstError: it failed in one of them; in all but the leading one the command ends in silence.
    """
    if team.size == 1:
        yield
        return
    from accelerate.utils import gather_object

    problem = ""
    try:
        yield
    except MtstError as error:
        problem = str(error)
    _give_up_if(next(filter(None, gather_object([problem])), ""), team)


def _give_up_if(problem: str, team: ProcessGroup) -> None:
    if problem:
        raise MtstError(problem) if team.leads else typer.Exit(2)
