"""What teachers hand out in each of six weeks; the build of the site makes it.

- ``weeks``: what is read, asked and expected in a week, from ``content/weeks.toml``;
- ``week_files``: a week's handout, slides and problem set; ``templates/``: their markup.
"""
