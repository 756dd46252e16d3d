"""The pages on results and performance, made from the published records."""
