"""What teachers hand out, built into one folder: ``python -m tools.teach OUT``.

- ``bank``: questions to choose an answer, from the tasks and their named mistakes;
- ``quiz_files``: a set of questions as Moodle XML and as QTI for Canvas; the concept inventory;
- ``handouts``: the pages of the built site, made ready for paper and printed in a browser;
- ``slides``: a deck for each notebook that derives, as ``course.toml`` says;
- ``content/``: the weeks and the concept inventory; ``templates/``: markup.
"""
