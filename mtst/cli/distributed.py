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
    """Join the process group that a launcher has started, and say so if it has started less than it was asked for."""
    if lacks_others():
        typer.echo(ONE_ONLY, err=True)
    with launched_process_group() as process_group:
        yield process_group


def by_leader(process_group: ProcessGroup, work: Callable[[], T]) -> T:
    """Do something in the leading process alone; all of them get what it returns.

    Raises:
        MtstError: it failed; in the other processes the command ends in silence.
    """
    if process_group.world_size == 1:
        return work()
    from accelerate.utils import broadcast_object_list

    found, problem = None, ""
    if process_group.is_main:
        try:
            found = work()
        except MtstError as error:
            problem = str(error)
    found, problem = broadcast_object_list([found, problem])
    _give_up_if(problem, process_group)
    return found


@contextmanager
def raise_together(process_group: ProcessGroup) -> Iterator[None]:
    """Do something in every process and wait until all have done it.

    Raises:
        MtstError: it failed in one of them; in all but the leading one the command ends in silence.
    """
    if process_group.world_size == 1:
        yield
        return
    from accelerate.utils import gather_object

    problem = ""
    try:
        yield
    except MtstError as error:
        problem = str(error)
    _give_up_if(next(filter(None, gather_object([problem])), ""), process_group)


def _give_up_if(problem: str, process_group: ProcessGroup) -> None:
    if problem:
        raise MtstError(problem) if process_group.is_main else typer.Exit(2)
