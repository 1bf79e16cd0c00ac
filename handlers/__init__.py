"""The HTTP doors: bytes in, envelope in the inbox, answer out. They decide nothing."""
