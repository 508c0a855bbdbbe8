"""All ways to read a clip, in one table."""
