"""The pluggable door: what a backend is (`protocol`) and how one is chosen (`registry`)."""
