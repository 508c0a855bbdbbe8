"""How good a model is and what it costs: metrics, measurements, and the report of `dfer evaluate`."""
