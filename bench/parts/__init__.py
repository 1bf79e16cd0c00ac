"""What `python -m bench` measures, one part a module. Each gives tables; nobody asserts an absolute time."""
