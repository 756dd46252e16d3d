"""Where the site and the repository are, and the links that follow from it.

Both are given at build time: ``SITE_URL``, where the site will be served, and ``REPO_URL``, such as
``https://github.com/someone/stbp_edu``. What is not given makes no link.
"""

import os
import re
from dataclasses import dataclass

ANYWHERE = "https://this-site/"
"""Stands for the site's address in commands where ``SITE_URL`` is not given; a script on the page
puts the address there from which the page was loaded."""

GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)")


@dataclass(frozen=True)
class Address:
    """Where things are.

    Attributes:
        site: the address of the site, with a slash at its end; empty where it is not known.
        repository: the address of the repository, without one; empty where there is none.
        branch: the branch that the site is built from.
        copies: the branch with the notebooks as the site offers them for download, which
            ``.github/workflows/pages.yml`` writes.
    """

    site: str = ""
    repository: str = ""
    branch: str = "main"
    copies: str = "notebooks"

    def source(self, path: str) -> str:
        """Return the address of a file in the repository; empty where there is none.

        >>> Address(repository="https://example.org/a/b").source("README.md")
        'https://example.org/a/b/blob/main/README.md'
        """
        return f"{self.repository}/blob/{self.branch}/{path}" if self.repository else ""

    def runners(self, stem: str) -> dict[str, str]:
        """Return where a notebook can be run elsewhere, by name: on GitHub, Colab and Binder.

        Colab opens the copy that installs what it needs, Binder the whole project.

        >>> Address().runners("03_example")
        {}
        >>> list(Address(repository="https://github.com/a/b").runners("03_example").values())
        ['https://colab.research.google.com/github/a/b/blob/notebooks/03_example.ipynb',
         'https://mybinder.org/v2/gh/a/b/main?labpath=notebooks/03_example.ipynb']
        """
        if not (found := GITHUB.fullmatch(self.repository)):
            return {}
        colab = "https://colab.research.google.com/github"
        binder = "https://mybinder.org/v2/gh"
        return {
            "Colab": f"{colab}/{found[1]}/blob/{self.copies}/{stem}.ipynb",
            "Binder": f"{binder}/{found[1]}/{self.branch}?labpath=notebooks/{stem}.ipynb",
        }


def address() -> Address:
    """Return what the environment says.

    Raises:
        ValueError: if an address is none.
    """
    given = {name: os.environ.get(name, "").strip() for name in ("SITE_URL", "REPO_URL")}
    for name, value in given.items():
        if value and not re.fullmatch(r"https?://[^\s\"'<>]+", value):
            raise ValueError(f"{name} must be an address that begins with http, got {value!r}")
    site, repository = given["SITE_URL"], given["REPO_URL"].rstrip("/").removesuffix(".git")
    return Address(
        site and site.rstrip("/") + "/",
        repository,
        os.environ.get("REPO_BRANCH", "main"),
        os.environ.get("REPO_COPIES", "notebooks"),
    )
