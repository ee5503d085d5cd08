"""Attacks on plz with its own promises in hand. README.md tells what each does, and what is counted."""
