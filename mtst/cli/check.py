"""`check`: a table -> the rows that may be wrong."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.analysis.data_quality import check_quality
from mtst.cli.options import EncoderName, File, Fp32, Header, Labels, Merge, MultiLabel, SingleLabel, Text, label_choice
from mtst.cli.output import check_writable, load_with_progress, print_label_sets, print_skipped
from mtst.cli.rows import read_datasets
from mtst.encoders.catalogue import DEFAULT


def check(
    file: File,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write what was found, with line numbers.")],
    labels: Labels = None,
    multi_label: MultiLabel = None,
    single_label: SingleLabel = None,
    merge: Merge = False,
    header: Header = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the folds.")] = 0,
    encoder: EncoderName = DEFAULT,
    fp32: Fp32 = False,
) -> None:
    """Look for copies, near copies, copies that disagree and labels that look mistaken, the worst first."""
    check_writable(out)
    choice = label_choice(labels, multi_label, single_label)
    data, _ = read_datasets(file, None, text, choice, header=header, merge=merge)
    print_label_sets(data.tasks)
    print_skipped(data.skipped)
    findings = check_quality(data, load_with_progress(encoder, fp32=fp32).encode(data.texts), seed)
    count = findings.write(data, out)
    typer.echo(
        f"{len(data):,} rows: {len(findings.copies):,} copies, {len(findings.near_copies):,} near copies, "
        f"{len(findings.conflicts):,} copies that disagree, {len(findings.labels):,} doubtful labels; "
        f"{count:,} lines written to {out}"
    )
