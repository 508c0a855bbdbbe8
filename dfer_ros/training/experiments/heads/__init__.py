"""Temporal heads that are compared and not shipped."""
