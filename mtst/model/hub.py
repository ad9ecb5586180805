"""A saved model -> the Hub, and back. Weights travel as safetensors only; a token is used and never kept."""

from pathlib import Path

from mtst.encoders.catalogue import HUB_ID
from mtst.encoders.hub.errors import explain_outage, first_line, http_status
from mtst.errors import ModelError
from mtst.model.storage import METADATA_FILE

FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.md"]
SENT = [*FILES, "predict.py", "onnx/*"]
LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write"


def push(folder: Path, repo_id: str, *, token: str | None = None, private: bool | None = None) -> str:
    """Upload a model's folder, into a new repository if there is none of that name; return its address.

    Args:
        folder: what to upload.
        repo_id: the name of the repository, owner/name.
        token: may write there; if left out, what `hf auth login` or HF_TOKEN gave.
        private: whether a new repository is closed to others; as the owner's settings say if left out.

    Raises:
        ModelError: the name or the token is refused, the Hub does not answer, or the repository is there and public
            though it should be closed.
    """
    from huggingface_hub import HfApi

    _check_name(repo_id)
    api = HfApi(token=token)
    try:
        address = api.create_repo(repo_id, private=private, exist_ok=True, repo_type="model")
        if private and not api.model_info(repo_id).private:  # one that is there already stays as it is
            raise ModelError(
                f"{repo_id} is there already, and public, so nothing was uploaded. Make it private in its settings on "
                "the Hub, or choose a new name."
            )
        api.upload_folder(
            repo_id=repo_id, folder_path=folder, allow_patterns=SENT, commit_message="A model made with mtst"
        )
    except ModelError:
        raise
    except Exception as error:  # of no common base class
        raise ModelError(_explain(repo_id, error, "uploaded")) from error
    return str(address)


def download(repo_id: str, revision: str | None = None) -> Path:
    """Download a model that `publish` uploaded, or find what was fetched earlier; return its folder.

    Raises:
        ModelError: there is none, it is not to be read, or the Hub does not answer.
    """
    from huggingface_hub import snapshot_download

    _check_name(repo_id)
    try:
        folder = Path(snapshot_download(repo_id, revision=revision, allow_patterns=FILES))
    except Exception as error:  # of no common base class
        raise ModelError(_explain(repo_id, error, "fetched")) from error
    if not (folder / METADATA_FILE).is_file():
        raise ModelError(f"{repo_id} on the Hub is not a model that mtst has made: there is no {METADATA_FILE} in it.")
    return folder


def _check_name(repo_id: str) -> None:
    if not HUB_ID.fullmatch(repo_id):
        raise ModelError(f"{repo_id!r} is neither a folder nor a name on the Hub. Those look like owner/name.")


def _explain(repo_id: str, error: Exception, done: str) -> str:
    """Say in one sentence why the Hub did not do it and what to do."""
    from huggingface_hub import errors

    status = http_status(error)
    if isinstance(error, errors.LocalTokenNotFoundError) or status == 401:
        return f"The Hub does not know you, so {repo_id} was not {done}. {LOG_IN}."
    if isinstance(error, errors.GatedRepoError):
        return f"{repo_id} is gated. Accept its terms on the Hub and log in."
    if status == 403:
        return f"Your token may not do that with {repo_id}. {LOG_IN} there, or choose a name of your own."
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repo_id} has no such revision on the Hub. Check its branch, tag or commit."
    if isinstance(error, errors.RepositoryNotFoundError) or status == 404:
        return f"The Hub knows no {repo_id}, or does not show it to you. Check the spelling, or log in."
    if isinstance(error, errors.HFValidationError):
        return f"{repo_id!r} is no name that the Hub takes. Names look like owner/name."
    if outage := explain_outage(repo_id, error, done):
        return outage
    return f"{repo_id} was not {done}: {first_line(error)}."
