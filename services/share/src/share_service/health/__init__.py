"""The health of the whole system: what works for its users, and the state of every part for its operators."""
