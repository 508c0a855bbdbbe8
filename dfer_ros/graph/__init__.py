"""Runs the graph of nodes as processes, and watches it from outside."""
