"""Products over the pixels and neurons that matter: the same gradient, for less work."""
