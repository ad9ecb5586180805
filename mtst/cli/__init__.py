"""The command line: `python -m mtst`."""

import typer

from mtst.cli.check import check
from mtst.cli.compare import compare
from mtst.cli.embed import embed, similarity
from mtst.cli.export import export, push
from mtst.cli.output import report_errors
from mtst.cli.predict import predict
from mtst.cli.train import train

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__
)
for command in (embed, similarity, predict, train, compare, check, export, push):
    app.command()(report_errors(command))
