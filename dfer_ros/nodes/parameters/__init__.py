"""The parameters of the nodes: a table a node. Defaults come from the dataclasses of core.

A node imports its own table only, so that it carries no library that another one needs.
"""
