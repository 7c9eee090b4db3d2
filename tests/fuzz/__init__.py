"""Hostile input of every kind, made from seeds: `make fuzz` runs it, and `make test` a fortieth.

A target is a module with `NAMES`, what it can make cases for; `make(name, rng)`, which returns
such a case as bytes; and `check(name, case)`, which returns in one word what came of it, or raises
an error if a promise of `.github/SECURITY.md` was broken.
"""
