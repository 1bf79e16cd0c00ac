"""Pure decisions: every function here can be answered from its arguments alone, and takes `now`."""
