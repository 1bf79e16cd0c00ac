"""The same job done the usual ways, to compare with. Nothing here is durable."""
