"""One file for each question; each prints JSON and nothing else."""
