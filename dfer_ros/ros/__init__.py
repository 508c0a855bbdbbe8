"""What every node shares: life cycle, frame streams, workers, parameters, images, quality of service, log."""
