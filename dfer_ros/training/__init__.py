"""Making models: needs the extra `train`, is never needed to run the graph."""
