"""ferroflow's own code; what programs may use is named by the pages beside it."""
