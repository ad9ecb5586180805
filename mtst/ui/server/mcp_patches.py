"""What MCP tools take and answer: tables as text, since Gradio's addresses of files are not fetched here, and JSON.

Gradio documents neither; tried on the version in `gradio_patches.TRIED_ON`.
"""

import json
from functools import wraps
from typing import Any

from gradio.mcp import GradioMCPServer

Schema = dict[str, Any]


def patch_mcp() -> None:
    """Let MCP tools take no files and answer in JSON, in all of this process."""
    for name, change in (("get_input_schema", _without_files), ("postprocess_output_data", _as_json)):
        method = getattr(GradioMCPServer, name)
        if not hasattr(method, "__wrapped__"):
            setattr(GradioMCPServer, name, change(method))


def _without_files(get_input_schema: Any) -> Any:
    @wraps(get_input_schema)
    def get(
        server: GradioMCPServer, tool_name: str, parameters: dict[str, str] | None = None
    ) -> tuple[Schema, list[list[str | int]]]:
        """Return the schema without the parameters that Gradio would take addresses for, and no positions of files."""
        schema, positions = get_input_schema(server, tool_name, parameters)
        files = {path[0] for path in positions}
        kept = {name: value for name, value in schema["properties"].items() if name not in files}
        return schema | {"properties": kept}, []

    return get


def _as_json(postprocess_output_data: Any) -> Any:
    @wraps(postprocess_output_data)
    def postprocess(server: GradioMCPServer, data: list[Any], root_url: str) -> Any:
        """Return the content of an answer; Gradio would give what is no file as Python prints it."""
        return postprocess_output_data(server, [_json_unless_file(output) for output in data], root_url)

    return postprocess


def _json_unless_file(output: Any) -> Any:
    is_file = isinstance(output, dict) and "meta" in output
    return output if is_file or isinstance(output, str) else json.dumps(output, ensure_ascii=False)
