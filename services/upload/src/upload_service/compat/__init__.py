"""Foreign protocols, one module each: routes, wire models and errors that nothing else knows."""
