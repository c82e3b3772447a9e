"""Pages: a file with its mirrors, as HTML for browsers and as JSON."""
