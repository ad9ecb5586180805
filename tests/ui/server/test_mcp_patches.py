"""The tools of MCP, as Gradio's server makes them of the endpoints; they are called in tests/browser/test_space.py."""

import json

import gradio as gr
import pytest
from gradio.mcp import GradioMCPServer

from mtst.ui.api.endpoints import name_endpoints
from mtst.ui.server.mcp_patches import patch_mcp
from mtst.ui.services.services import Services


@pytest.fixture
def server(services: Services, monkeypatch) -> GradioMCPServer:
    for name in ("get_input_schema", "postprocess_output_data"):
        monkeypatch.setattr(GradioMCPServer, name, getattr(GradioMCPServer, name))
    patch_mcp()
    with gr.Blocks() as demo:
        name_endpoints(services, demo)
    return GradioMCPServer(demo)


def test_no_tool_asks_for_an_address_of_a_file(server: GradioMCPServer) -> None:
    for tool, endpoint in server.tool_to_endpoint.items():
        schema, files = server.get_input_schema(tool)
        assert not files
        assert "http" not in json.dumps(schema)
        assert ("table" in schema["properties"]) == (endpoint in ("/train", "/compare"))
        assert "file" not in schema["properties"]
        function = server.get_block_fn_from_endpoint_name(endpoint)
        description, _ = server.get_fn_description(function, tool)
        assert "upload" not in description


def test_answers_are_json(server: GradioMCPServer) -> None:
    answer = [{"topic": {"label": "It's “sports”", "confidence": 0.5}, "scores": None, "over": True}]
    (content,) = server.postprocess_output_data([answer], "http://127.0.0.1")
    assert json.loads(content.text) == answer
    (token,) = server.postprocess_output_data(["a" * 32], "http://127.0.0.1")
    assert token.text == "a" * 32
