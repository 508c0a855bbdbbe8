"""What everything costs on this computer, and what it survives: `dfer bench`."""
