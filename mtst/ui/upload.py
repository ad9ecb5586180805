"""What may be uploaded: the kinds of files, and how much of one is read, said before anybody chooses one."""

import gradio as gr

from mtst.limits import Limits

FILE_TYPES = [".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson", ".json", ".xlsx", ".gz"]


def limits_note(limits: Limits, *, labelled: bool = True) -> str:
    """Return what a file may be; if `labelled`, also what its texts and labels may be."""
    parts = [f"{limits.megabytes:g} MB", f"{limits.rows:,} rows", f"{limits.columns:,} columns"]
    parts += [f"{limits.labels:,} labels a task", f"{limits.characters:,} characters a text"] if labelled else []
    return f"CSV, TSV, JSON Lines or XLSX, also gzipped (.gz): up to {', '.join(parts)}."


def upload_area(elem_id: str) -> gr.File:
    """Return the place to drop a table."""
    return gr.File(
        label="File", show_label=False, file_types=FILE_TYPES, height=64, elem_classes="upload", elem_id=elem_id
    )
