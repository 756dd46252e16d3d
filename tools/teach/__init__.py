"""What teachers hand out, built into one folder: ``python -m tools.teach OUT``.

- ``bank``: questions to choose an answer, from the tasks and their named mistakes;
- ``quiz_files``: a set of questions as Moodle XML and as QTI for Canvas;
- ``handouts``: the pages of the built site, made ready for paper;
- ``slides``: a deck for each notebook that derives, as ``course.toml`` says;
- ``paper``: prints pages in a browser, so that the same page gives the same bytes;
- ``content/``: the weeks and the concept inventory; ``templates/``: markup.
"""
