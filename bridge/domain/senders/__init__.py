"""Who sends an event: every way in which a form service proves that a request is its own."""
