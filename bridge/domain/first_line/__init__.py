"""The first line: what a chatbot may answer before a person is asked. Pure and deterministic."""
