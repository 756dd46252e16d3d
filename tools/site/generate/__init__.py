"""Makes the pages and files of the site that no one wrote by hand."""
