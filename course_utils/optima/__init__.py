"""Problems whose exact answer can be computed, and that answer. Nothing here is learned."""
