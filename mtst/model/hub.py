"""Upload a saved model to the Hub and download it. Weights are safetensors only; a token is used and never stored."""

from pathlib import Path

from mtst.errors import ModelError
from mtst.hub.problems import explain_outage, first_line, http_status
from mtst.hub.repositories import HUB_ID
from mtst.model.storage import METADATA_FILE

DOWNLOADED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.md"]
UPLOADED = [*DOWNLOADED, "predict.py", "onnx/*"]
LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write"


def push(folder: Path, repo_id: str, *, token: str | None = None, private: bool | None = None) -> str:
    """Upload the folder of a model to the Hub and return the URL of its repository.

    Args:
        folder: of the model.
        repo_id: the name of the repository, owner/name; it is created if there is none.
        token: a token that may write there; that of `hf auth login` or HF_TOKEN by default.
        private: whether a new repository is private; by default as the owner's settings say.

    Raises:
        ModelError: the name or the token is refused, the Hub does not answer, or a repository that should be private
            exists and is public.
    """
    from huggingface_hub import HfApi

    _check_name(repo_id)
    api = HfApi(token=token)
    try:
        url = api.create_repo(repo_id, private=private, exist_ok=True, repo_type="model")
        if private and not api.model_info(repo_id).private:  # an existing repository keeps its visibility
            raise ModelError(
                f"{repo_id} is there already, and public, so nothing was uploaded. Make it private in its settings on "
                "the Hub, or choose a new name."
            )
        api.upload_folder(
            repo_id=repo_id, folder_path=folder, allow_patterns=UPLOADED, commit_message="A model made with mtst"
        )
    except ModelError:
        raise
    except Exception as error:  # of no common base class
        raise ModelError(_explain(repo_id, error, "uploaded")) from error
    return str(url)


def download(repo_id: str, revision: str | None = None) -> Path:
    """Download a model that `push` uploaded, unless it is cached; return its folder.

    Raises:
        ModelError: there is none, it may not be read, or the Hub does not answer.
    """
    from huggingface_hub import snapshot_download

    _check_name(repo_id)
    try:
        folder = Path(snapshot_download(repo_id, revision=revision, allow_patterns=DOWNLOADED))
    except Exception as error:  # of no common base class
        raise ModelError(_explain(repo_id, error, "fetched")) from error
    if not (folder / METADATA_FILE).is_file():
        raise ModelError(f"{repo_id} on the Hub is not a model that mtst has made: there is no {METADATA_FILE} in it.")
    return folder


def _check_name(repo_id: str) -> None:
    if not HUB_ID.fullmatch(repo_id):
        raise ModelError(f"{repo_id!r} is neither a folder nor a name on the Hub. Those look like owner/name.")


def _explain(repo_id: str, error: Exception, done: str) -> str:
    """Return one sentence that says why the Hub refused and what to do."""
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
