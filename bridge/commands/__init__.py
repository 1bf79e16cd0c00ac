"""The commands of `bridge`, one module for each kind of job."""
