"""Makes the pages and files of the site that no one wrote by hand.

- ``generated_files``: all of them, by the names that they have in the site.
- ``api_pages``: the reference, from the docstrings; ``docstrings`` prepares these for mkdocstrings.
- ``package_source``: the package's modules and definitions, as griffe reads them.
- ``equations_page``: every equation with its places, which ``equation_places`` finds.
- ``source_pages``: source files with an anchor at every line.
- ``citation_page``: how to cite.
- ``sweep_grid``: the picture of the landing page.
- ``social_card``: the picture that other sites show beside a link to this one.
- ``llms``: the list of all pages in one plain file.
- ``front_matter``: the head of a page's Markdown.
"""
