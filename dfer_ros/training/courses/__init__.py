"""Simulated courses of an expression, made of stills."""
