"""The GPU that the comparison runs on, if there is one."""

import importlib.util


def missing_for_gpu() -> str:
    """Return the reason why nothing can be measured on a GPU; empty if something can."""
    if importlib.util.find_spec("torch") is None:
        return "PyTorch, which is not installed"
    import torch

    if not torch.cuda.is_available():
        return f"a GPU, and PyTorch {torch.__version__} finds none"
    return ""


def about_gpu() -> dict[str, str | None]:
    """Return the name of the GPU and the versions of what drives it, for a record."""
    import torch

    return {
        "name": torch.cuda.get_device_name(),
        "cuda": torch.version.cuda,
        "torch": torch.__version__,
    }
