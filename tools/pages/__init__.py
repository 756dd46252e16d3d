"""The pages on results and performance, made from the published records.

- ``published_records``: reads the records of ``docs/results``.
- ``results_page``: accuracies; ``python -m tools.pages.results_page`` prints the page.
- ``performance_page``: times and memory; ``python -m tools.pages.performance_page`` prints it.
- ``speed_goals``: the part of the performance page that compares times with the goals.
- ``markdown_tables``: Markdown tables, and the templates.
- ``templates/``: the prose of both pages, with a place for each table.
"""
