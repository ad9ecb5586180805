"""The commands of `python -m mtst`, one file for each group; `__main__` puts them together."""
