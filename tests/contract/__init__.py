"""Foreign protocols, as their clients speak them. A package, so that its systems end with its last test."""
