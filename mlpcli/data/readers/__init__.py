"""Readers: a file of any kind becomes a table of numbers, texts and labels."""
